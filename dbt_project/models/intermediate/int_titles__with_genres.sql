-- Several rows of the catalogue may share a title id, so the rows get a number of their own. Within a title id they are
-- ranked by votes, then popularity, then by the remaining columns, so that the order never depends on the reader.
with

titles as (

    select
        *,
        row_number() over (
            order by
                title_id asc,
                vote_count desc nulls last,
                popularity desc nulls last,
                imdb_number asc nulls last,
                title asc nulls last,
                genres_literal asc nulls last
        ) as title_row_id
    from {{ ref('stg_movies__titles') }}

),

genres as (

    select * from {{ ref('genres') }}

),

labels as (

    select
        title_row_id,
        {{ unnest_python_names('genres_literal') }} as genre_label
    from titles

),

valid_genres as (

    select
        labels.title_row_id,
        {{ for_each_genre("max(case when genres.genre = '{genre}' then 1 else 0 end) as is_{genre}") }}
    from labels
    inner join genres on labels.genre_label = genres.genre_label
    group by labels.title_row_id

),

final as (

    select
        ---------- ids
        titles.title_row_id,
        titles.title_id,
        titles.imdb_number,

        ---------- text
        titles.title,
        titles.original_language,
        titles.overview,

        ---------- numbers
        titles.runtime_minutes,
        titles.vote_average,
        titles.vote_count,

        ---------- times
        titles.release_date,

        ---------- flags
        titles.title_row_id = min(titles.title_row_id) over (partition by titles.title_id) as is_first_of_title,
        {{ for_each_genre('cast(valid_genres.is_{genre} as tinyint) as is_{genre}') }}

    from titles
    inner join valid_genres on titles.title_row_id = valid_genres.title_row_id

)

select * from final
