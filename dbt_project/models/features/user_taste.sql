-- What users choose as shares of their titles, how much they choose beside it: the taste itself is found in
-- `user_interactions`, this says what it looks like.
{% set dayparts = ['night', 'morning', 'afternoon', 'evening'] %}

with

taste as (

    select * from {{ ref('int_taste__shares') }}

),

-- Who rated and watched nothing has everybody's hours.
final as (

    select
        {% for daypart in dayparts -%}
            coalesce(viewing.daypart_{{ daypart }}, avg({{ summable('viewing.daypart_' ~ daypart) }}) over (), 0)
                as daypart_{{ daypart }},
        {% endfor -%}
        taste.user_id,
        taste.titles,
        taste.popularity_mainstream,
        taste.popularity_niche,
        {{ for_each('taste.release_fifth_{value}', range(1, 6) | map('string')) }},
        {{ for_each('taste.era_{value}', eras()) }},
        {% for language in title_language_columns() -%}
            taste.language_{{ language }},
        {% endfor -%}
        {{ for_each_genre('taste.genre_{genre}') }}
    from taste
    left join {{ ref('user_viewing') }} as viewing on taste.user_id = viewing.user_id

)

select * from final
