with

events as (

    select
        user_id,
        device,
        minutes_watched,
        cast(date_trunc('week', watched_at) as date) as week
    from {{ ref('stg_viewing__watch_events') }}

),

final as (

    select
        ---------- ids
        week,

        ---------- text
        device,

        ---------- numbers
        count(*) as events,
        sum(minutes_watched) as minutes,
        count(distinct user_id) as users

    from events
    group by week, device

)

select * from final
