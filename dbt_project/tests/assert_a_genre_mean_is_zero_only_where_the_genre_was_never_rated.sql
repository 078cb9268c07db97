select user_id
from {{ ref('user_genre_stats') }}
where
    false
    {%- for genre in var('genres') %}
    or (cnt_{{ genre }} = 0 and avg_{{ genre }} <> 0)
    or (cnt_{{ genre }} > 0 and (avg_{{ genre }} < 0.5 or avg_{{ genre }} > 5))
    {%- endfor %}
