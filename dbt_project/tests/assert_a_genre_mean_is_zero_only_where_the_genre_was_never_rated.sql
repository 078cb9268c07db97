select user_id
from {{ ref('user_genre_stats') }}
where
    {{ for_each_genre('(cnt_{genre} = 0 and avg_{genre} <> 0)', separator=' or') }}
    or {{ for_each_genre('(cnt_{genre} > 0 and (avg_{genre} < 0.5 or avg_{genre} > 5))', separator=' or') }}
