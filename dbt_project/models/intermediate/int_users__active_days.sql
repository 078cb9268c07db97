-- Read from the events, not from a user's last rating of a title: that one hides the earlier ones, and as of a day
-- before it the user would look less active than they were.
with

watched as (

    select
        user_id,
        cast(watched_at as date) as active_on,
        1 as views,
        0 as ratings,
        minutes_watched as minutes
    from {{ ref('stg_viewing__watch_events') }}

),

rated as (

    select
        user_id,
        cast(rated_at as date) as active_on,
        0 as views,
        1 as ratings,
        0 as minutes
    from {{ ref('stg_movies__ratings') }}
    where rated_at is not null

),

events as (

    select * from watched
    union all
    select * from rated

),

final as (

    select
        ---------- ids
        user_id,

        ---------- numbers
        cast(sum(views) as bigint) as views,
        cast(sum(ratings) as bigint) as ratings,
        sum({{ summable('minutes') }}) as minutes,

        ---------- times
        active_on

    from events
    group by user_id, active_on

)

select * from final
