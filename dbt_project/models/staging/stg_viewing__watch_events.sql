-- What counts as viewing: an event of `watched_least_minutes` or more. A preview of no minutes says what somebody was
-- shown, not what they watched, and counts nowhere.
with

source as (

    select * from {{ last_arrived(source('viewing', 'views'), ['user_id', 'title_id', 'watched_at']) }}

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
    where minutes_watched >= {{ var('watched_least_minutes') }}

)

select * from renamed
