with

titles as (

    select * from {{ ref('int_titles__with_genres') }}

),

genres as (

    select * from {{ ref('int_genres__columns') }}

),

summed as (

    select
        {{ for_each_genre('sum(is_{genre}) as rows_{genre}') }},
        {{ for_each_genre('sum(case when is_first_of_title then is_{genre} else 0 end) as titles_{genre}') }}
    from titles

),

final as (

    select
        ---------- ids
        genres.genre,

        ---------- text
        genres.genre_label,

        ---------- numbers
        cast(coalesce({{ column_of_genre('summed.rows_{genre}') }}, 0) as bigint) as catalogue_row_count,
        cast(coalesce({{ column_of_genre('summed.titles_{genre}') }}, 0) as bigint) as title_count

    from genres
    cross join summed

)

select * from final
