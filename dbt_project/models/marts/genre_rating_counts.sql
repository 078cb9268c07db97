with

counts as (

    select * from {{ ref('int_titles__rating_counts') }}

),

titles as (

    select * from {{ ref('int_titles__with_genres') }}

),

genres as (

    select * from {{ ref('int_genres__columns') }}

),

summed as (

    select
        counts.rating,
        {{ for_each_genre('sum(titles.is_{genre} * counts.ratings) as ratings_{genre}') }}
    from counts
    inner join titles on counts.title_row_id = titles.title_row_id
    group by counts.rating

),

by_genre as (

    select
        genres.genre,
        genres.genre_label,
        summed.rating,
        {{ column_of_genre('summed.ratings_{genre}') }} as ratings
    from summed
    cross join genres

),

final as (

    select
        ---------- ids
        genre,

        ---------- text
        genre_label,

        ---------- numbers
        rating,
        cast(ratings as bigint) as ratings

    from by_genre
    where ratings > 0

)

select * from final
