-- Several rows of the catalogue may share a title id, so the rows get a number of their own. Within a title id they are
-- ranked by votes, then popularity, then by the remaining columns, so that the order never depends on the reader.
with

titles as (

    select * from {{ ref('stg_movies__titles') }}

),

ids as (

    select * from {{ source('landing', 'ids') }}

),

numbered as (

    select
        titles.title_id,
        {{ as_written('titles.title_id') }} as title_key,
        titles.imdb_number,
        titles.title,
        titles.original_language,
        titles.genres_literal,
        titles.overview,
        titles.kind,
        titles.runtime_minutes,
        titles.popularity,
        titles.vote_average,
        titles.vote_count,
        titles.release_date,
        row_number() over (
            order by
                titles.title_id asc,
                titles.vote_count desc nulls last,
                titles.popularity desc nulls last,
                titles.imdb_number asc nulls last,
                titles.title asc nulls last,
                titles.genres_literal asc nulls last
        ) as title_row_id
    from titles
    left join ids on titles.title_id = ids.number

)

select * from numbered
