{% set join_by = rating_join() %}

with

movies as (

    select
        movie_id,
        ratings as rating_count
    from {{ ref('int_ratings__counts') }}

),

links as (

    select * from {{ ref('stg_movies__links') }}

),

titles as (

    select * from {{ ref('int_titles__with_genres') }}

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
        movies.rating_count

    from movies
    {% if join_by == 'links' %}
        inner join links on movies.movie_id = links.movie_id
        inner join titles
            on
                links.title_id = titles.title_id
                and titles.is_first_of_title
    {% else %}
        left join links on movies.movie_id = links.movie_id
        inner join titles on movies.movie_id = titles.title_id
    {% endif %}

)

select * from joined
