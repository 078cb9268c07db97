-- Flags of 20 genres are summed in columns, as in user_genre_stats: one pass instead of one row per event and genre.
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
        {{ for_each_genre('cast(is_{genre} as double) as is_{genre}') }}
    from {{ ref('int_titles__with_genres') }}

),

summed as (

    select
        events.user_id,
        {{ for_each_genre('cast(sum(titles.is_{genre}) as bigint) as events_{genre}') }},
        {{ for_each_genre('sum(titles.is_{genre} * events.minutes_watched) as minutes_{genre}') }}
    from events
    inner join movies on events.movie_id = movies.movie_id
    inner join titles on movies.title_row_id = titles.title_row_id
    group by events.user_id

)

select * from summed
