-- Several rows of the catalogue may share a title id, so the rows get a number of their own. Within a title id they are
-- ranked by votes, then popularity, then by the remaining columns, so that the order never depends on the reader.
with

titles as (

    select * from {{ ref('stg_movies__titles') }}

),

numbered as (

    select
        title_id,
        imdb_number,
        title,
        original_language,
        genres_literal,
        overview,
        runtime_minutes,
        popularity,
        vote_average,
        vote_count,
        release_date,
        row_number() over (
            order by
                title_id asc,
                vote_count desc nulls last,
                popularity desc nulls last,
                imdb_number asc nulls last,
                title asc nulls last,
                genres_literal asc nulls last
        ) as title_row_id
    from titles

)

select * from numbered
