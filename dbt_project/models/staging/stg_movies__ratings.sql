with

source as (

    select * from {{ source('movies', 'ratings') }}

),

renamed as (

    select
        ---------- ids
        user_id,
        title_id as movie_id,

        ---------- numbers
        rating,
        arrival,

        ---------- times
        rated_at

    from source

)

select * from renamed
