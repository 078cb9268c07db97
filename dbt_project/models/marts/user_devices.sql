with

events as (

    select * from {{ ref('stg_viewing__watch_events') }}

),

summed as (

    select
        user_id,
        device,
        count(*) as events,
        sum(minutes_watched) as minutes
    from events
    group by user_id, device

),

final as (

    select
        ---------- ids
        user_id,

        ---------- text
        device,

        ---------- numbers
        events,
        minutes,
        events / sum(events) over (partition by user_id) as share

    from summed

)

select * from final
