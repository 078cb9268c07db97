-- Days without an hour stand at midnight. Where more events begin at midnight to the second than otherwise in the
-- fullest hour, they are such days: no hour of theirs may be used.
-- On Spark a table: DuckDB's file, which shows what it makes, reads `user_interactions` of it.
{{ config(materialized='view' if target.type == 'duckdb' else 'table') }}

with

events as (

    select * from {{ ref('stg_viewing__watch_events') }}

),

hours as (

    select
        watched_at = date_trunc('day', watched_at) as is_midnight,
        cast(extract(hour from watched_at) as integer) as watched_hour,
        count(*) as events
    from events
    group by 1, 2

),

clock as (

    select
        coalesce(max(case when is_midnight then events end), 0)
        <= coalesce(max(case when not is_midnight then events end), 0) as midnight_is_an_hour
    from hours

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
        coalesce(titles.title_id, unlisted.title_id) as title_id,
        titles.title_row_id,

        ---------- text
        events.device,

        ---------- numbers
        events.minutes_watched,
        least(events.minutes_watched / titles.runtime_minutes, 1) as completion,
        case
            when clock.midnight_is_an_hour or events.watched_at <> date_trunc('day', events.watched_at)
                then cast(extract(hour from events.watched_at) as integer)
        end as watched_hour,

        ---------- times
        events.watched_at

    from events
    cross join clock
    left join titles on events.movie_id = titles.movie_id
    left join {{ ref('int_titles__unlisted') }} as unlisted on events.movie_id = unlisted.movie_id

)

select * from final
