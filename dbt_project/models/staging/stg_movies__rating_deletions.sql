-- depends_on: {{ source('movies', 'ratings') }}
select
    user_id,
    title_id as movie_id,
    arrival,
    rated_at
from landing.rating_deletions
