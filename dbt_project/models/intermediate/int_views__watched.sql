-- What counts as viewing: an event of `watched_least_minutes` or more. A preview of no minutes says what somebody was
-- shown, not what they watched. Where every event of the source begins at midnight, its times are days without an hour.
{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('stg_viewing__watch_events') }}
    where minutes_watched >= {{ var('watched_least_minutes') }}

),

clock as (

    select max(case when watched_at <> date_trunc('day', watched_at) then 1 else 0 end) = 1 as has_hours
    from events

),

titles as (

    select
        movies.movie_id,
        titles.title_id,
        titles.title_row_id,
        case when titles.runtime_minutes > 0 then titles.runtime_minutes end as runtime_minutes
    from {{ ref('int_viewing__titles') }} as movies
    inner join {{ ref('int_titles__with_genres') }} as titles on movies.title_row_id = titles.title_row_id

),

final as (

    select
        ---------- ids
        events.user_id,
        events.movie_id,
        titles.title_id,
        titles.title_row_id,

        ---------- text
        events.device,

        ---------- numbers
        events.minutes_watched,
        least(events.minutes_watched / titles.runtime_minutes, 1) as completion,
        case when clock.has_hours then cast(extract(hour from events.watched_at) as integer) end as watched_hour,

        ---------- times
        events.watched_at

    from events
    cross join clock
    left join titles on events.movie_id = titles.movie_id

)

select * from final
