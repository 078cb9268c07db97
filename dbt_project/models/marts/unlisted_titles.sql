select
    movie_key as title_id,
    title,
    case when is_in_catalogue then 'has no genre' else 'is in no catalogue' end as reason,
    ratings,
    views,
    title_key as recommended_as
from {{ ref('int_titles__unlisted') }}
