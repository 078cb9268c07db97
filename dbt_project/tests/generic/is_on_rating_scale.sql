-- A mean of ratings lies between the lowest and the highest rating that landed; `or_zero` where 0 stands for none.
{% test is_on_rating_scale(model, column_name, or_zero=false) %}
select {{ column_name }}
from {{ model }}
cross join (
    select
        min(rating) as lowest,
        max(rating) as highest
    from {{ source('movies', 'ratings') }}
) as scale
where
    round({{ column_name }}, 9) not between {{ 'least(0, lowest)' if or_zero else 'lowest' }} and highest
{% endtest %}
