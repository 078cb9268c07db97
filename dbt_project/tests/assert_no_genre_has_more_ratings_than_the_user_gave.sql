select user_id
from {{ ref('user_genre_stats') }}
where
    total_titles > total_ratings
    {%- for genre in var('genres') %}
    or cnt_{{ genre }} > total_ratings
    {%- endfor %}
