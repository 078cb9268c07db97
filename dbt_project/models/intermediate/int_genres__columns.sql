{% if var('most_genres') > 61 %}
    {{ exceptions.raise_compiler_error(
        "most_genres is " ~ var('most_genres') ~ "; it must be at most 61, for a user's genres are the bits of one number"
    ) }}
{% endif %}

with

vocabulary as (

    select * from {{ ref('int_genres__vocabulary') }}
    where
        used_for = 'users'
        and genre_column is not null

),

final as (

    select
        ---------- ids
        genre_column as genre,

        ---------- text
        coalesce(max(case when genre = genre_column then genre_label end), 'Other') as genre_label,

        ---------- numbers
        max(column_position) as column_position

    from vocabulary
    group by genre_column

)

select * from final
