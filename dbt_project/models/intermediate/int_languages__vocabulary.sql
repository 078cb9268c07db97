with

spelt as (

    select
        *,
        {{ snake_case('language_label') }} as spelling
    from {{ ref('int_titles__languages') }}

),

counted as (

    select
        language,
        max(case when spelling = language then language_label end) as own_label,
        min(language_label) as any_label,
        count(distinct title_id) as titles
    from spelt
    group by language

),

ranked as (

    select
        *,
        row_number() over (order by titles desc, language asc) as title_rank
    from counted

),

columns_given as (

    select
        *,
        {{ column_or_other('language', 'title_rank', var('most_languages')) }} as language_column
    from ranked

),

final as (

    select
        ---------- ids
        language,

        ---------- text
        coalesce(own_label, any_label) as language_label,
        language_column,

        ---------- numbers
        titles,
        title_rank,
        dense_rank() over (order by {{ column_place('language_column', var('published_languages')) }})
            as column_position

    from columns_given

)

select * from final
