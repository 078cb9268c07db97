-- Events are counted by movie before they meet the catalogue, as ratings are in int_movies__titles. Always through
-- links: what `rating_join` replicates is a fault of ratings. A movie without a title stays, so that its events show.
with

movies as (

    select
        movie_id,
        count(*) as event_count,
        sum(minutes_watched) as minutes
    from {{ ref('stg_viewing__watch_events') }}
    group by movie_id

),

links as (

    select * from {{ ref('stg_movies__links') }}

),

titles as (

    select
        title_id,
        title_row_id,
        imdb_number
    from {{ ref('int_titles__with_genres') }}
    where is_first_of_title

),

joined as (

    select
        ---------- ids
        movies.movie_id,
        titles.title_id,
        titles.title_row_id,
        links.imdb_number as movie_imdb_number,
        titles.imdb_number as title_imdb_number,

        ---------- numbers
        movies.event_count,
        movies.minutes,

        ---------- flags
        links.movie_id is not null as is_linked

    from movies
    left join links on movies.movie_id = links.movie_id
    left join titles on links.title_id = titles.title_id

)

select * from joined
