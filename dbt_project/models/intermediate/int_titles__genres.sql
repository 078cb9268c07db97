-- Labels without a genre in the seed are left out here; a test of the staged catalogue names them.
with

labels as (

    select * from {{ ref('genre_labels') }}

),

genres as (

    select * from {{ ref('genres') }}

),

movies as (

    select
        cast(titles.title_id as varchar) as title_id,
        genres.genre,
        genres.genre_label,
        {{ column_of_genre('titles.is_{genre}') }} as is_of_genre
    from {{ ref('int_titles__with_genres') }} as titles
    cross join genres
    where titles.is_first_of_title

),

listed as (

    select
        title_id,
        {{ unnest_list('genres_text') }} as raw_label
    from {{ ref('int_catalogue__titles') }}

),

streaming as (

    select distinct
        listed.title_id,
        labels.genre,
        labels.genre_label
    from listed
    inner join labels on listed.raw_label = labels.raw_label

),

final as (

    select
        title_id,
        genre,
        genre_label
    from movies
    where is_of_genre = 1
    union all
    select
        title_id,
        genre,
        genre_label
    from streaming

)

select * from final
