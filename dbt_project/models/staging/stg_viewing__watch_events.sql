with

source as (

    select * from {{ source('viewing', 'views') }}

),

renamed as (

    select
        ---------- ids
        user_id,
        title_id as movie_id,

        ---------- text
        coalesce(nullif(trim(device), ''), 'Unknown') as device,

        ---------- numbers
        minutes_watched,

        ---------- times
        watched_at

    from source

)

select * from renamed
