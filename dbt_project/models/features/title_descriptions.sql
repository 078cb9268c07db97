with

titles as (

    select * from {{ ref('int_titles__with_genres') }}
    where is_first_of_title

),

genres as (

    select * from {{ ref('genres') }}

),

labels as (

    select
        titles.title_id,
        genres.genre_label,
        {{ column_of_genre('titles.is_{genre}') }} as is_of_genre
    from titles
    cross join genres

),

genre_lists as (

    select
        title_id,
        {{ dbt.listagg('genre_label', "'|'", 'order by genre_label') }} as genres
    from labels
    where is_of_genre = 1
    group by title_id

),

final as (

    select
        ---------- ids
        titles.title_id,

        ---------- text
        titles.title,
        genre_lists.genres,
        titles.overview

    from titles
    inner join genre_lists on titles.title_id = genre_lists.title_id

)

select * from final
