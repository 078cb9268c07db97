-- One pass over the interactions.
-- depends_on: {{ ref('int_ratings__last') }}, {{ ref('user_title_ratings') }}
{{ grows(
    rows='int_ratings__last',
    titles='int_taste__titles',
    key='title_id',
    columns=['genre_columns', 'title_language_columns'],
    basis='ratings'
) }}
{% set languages = title_language_columns() %}
{% set eras = eras() %}

with

titles as (

    select * from {{ ref('int_taste__titles') }}

),

shares as (

    select
        ---------- ids
        interactions.user_id,

        ---------- numbers
        count(*) as titles,
        avg(titles.popularity_mainstream) as popularity_mainstream,
        avg(titles.popularity_niche) as popularity_niche,
        {% for fifth in range(1, 6) -%}
            coalesce(sum(titles.release_fifth_{{ fifth }}) / nullif(sum(titles.has_era), 0), 0)
                as release_fifth_{{ fifth }},
        {% endfor -%}
        {% for era in eras -%}
            coalesce(sum(titles.era_{{ era }}) / nullif(sum(titles.has_era), 0), 0) as era_{{ era }},
        {% endfor -%}
        {% for language in languages -%}
            coalesce(sum(titles.language_{{ language }}) / nullif(sum(titles.has_language), 0), 0)
                as language_{{ language }},
        {% endfor -%}
        {{ for_each_genre(
            'coalesce(sum(titles.genre_{genre}) / nullif(sum(titles.has_genre), 0), 0) as genre_{genre}'
        ) }}
    from {{ ref('user_interactions') }} as interactions
    inner join titles on interactions.title_id = titles.title_id
    {% if is_growing() %}
        where {{ is_changing('interactions.user_id') }}
    {% endif %}
    group by interactions.user_id

)

select * from shares
