with

titles as (

    select * from {{ ref('int_titles__with_genres') }}
    where is_first_of_title

),

genre_lists as (

    select
        title_id,
        {{ dbt.listagg('genre_label', "'|'", 'order by genre_label') }} as genres
    from {{ ref('int_titles__genres') }}
    group by title_id

),

final as (

    select
        ---------- ids
        titles.title_id,
        titles.title_key,

        ---------- text
        titles.title,
        genre_lists.genres,
        titles.overview

    from titles
    left join genre_lists on titles.title_key = genre_lists.title_id
    union all
    select
        title_id,
        title_key,
        max(title) as title,
        cast(null as varchar) as genres,
        max(overview) as overview
    from {{ ref('int_titles__unlisted') }}
    where title_id is not null
    group by title_id, title_key

)

select * from final
