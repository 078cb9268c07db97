-- What users choose as shares of their titles, how much they choose beside it: the taste itself is found in
-- `user_interactions`, this says what it looks like.
{% set dayparts = ['night', 'morning', 'afternoon', 'evening'] %}

with

-- Who rated and watched nothing has everybody's hours.
final as (

    select
        {% for daypart in dayparts -%}
            coalesce(viewing.daypart_{{ daypart }}, avg({{ summable('viewing.daypart_' ~ daypart) }}) over (), 0)
                as daypart_{{ daypart }},
        {% endfor -%}
        shares.*
    from {{ ref('int_taste__shares') }} as shares
    left join {{ ref('user_viewing') }} as viewing on shares.user_id = viewing.user_id

)

select * from final
