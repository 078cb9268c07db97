-- How much of a title is watched can be told where its length is known; of longer viewings (a title begun again) the
-- length counts.
with

events as (

    select * from {{ ref('stg_viewing__watch_events') }}

),

movies as (

    select
        movie_id,
        title_row_id
    from {{ ref('int_viewing__titles') }}

),

titles as (

    select
        title_row_id,
        nullif(runtime_minutes, 0) as runtime_minutes
    from {{ ref('int_titles__with_genres') }}

),

final as (

    select
        ---------- ids
        events.device,

        ---------- numbers
        count(*) as events,
        count(distinct events.user_id) as users,
        sum(events.minutes_watched) as minutes,
        avg(events.minutes_watched) as mean_minutes,
        count(titles.runtime_minutes) as judged_events,
        avg(
            case
                when events.minutes_watched < titles.runtime_minutes
                    then events.minutes_watched / titles.runtime_minutes
                when titles.runtime_minutes > 0 then 1
            end
        ) as completion

    from events
    left join movies on events.movie_id = movies.movie_id
    left join titles on movies.title_row_id = titles.title_row_id
    group by events.device

)

select * from final
