with

titles as (

    select * from {{ ref('int_titles__with_genres') }}

),

genres as (

    select * from {{ ref('genres') }}

),

summed as (

    select
        {%- for genre in var('genres') %}
        sum(is_{{ genre }}) as rows_{{ genre }},
        sum(case when is_first_of_title then is_{{ genre }} else 0 end) as titles_{{ genre }}{{ "," if not loop.last }}
        {%- endfor %}
    from titles

),

final as (

    select
        ---------- ids
        genres.genre,

        ---------- text
        genres.genre_label,

        ---------- numbers
        cast(coalesce(case genres.genre
            {%- for genre in var('genres') %}
            when '{{ genre }}' then summed.rows_{{ genre }}
            {%- endfor %}
        end, 0) as bigint) as catalogue_row_count,
        cast(coalesce(case genres.genre
            {%- for genre in var('genres') %}
            when '{{ genre }}' then summed.titles_{{ genre }}
            {%- endfor %}
        end, 0) as bigint) as title_count

    from genres
    cross join summed

)

select * from final
