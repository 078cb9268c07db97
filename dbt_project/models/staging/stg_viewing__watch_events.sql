with

source as (

    select * from {{ source('viewing', 'watch_events') }}

),

renamed as (

    select
        ---------- ids
        user_id,
        movie_id,

        ---------- text
        coalesce(nullif(trim(device), ''), 'Unknown') as device,

        ---------- numbers
        minutes_watched,

        ---------- times
        watched_at

    from source

)

select * from renamed
