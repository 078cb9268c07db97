select user_id
from {{ ref('user_genre_stats') }}
where
    total_titles > total_ratings
    or {{ for_each_genre('cnt_{genre} > total_ratings', separator=' or') }}
