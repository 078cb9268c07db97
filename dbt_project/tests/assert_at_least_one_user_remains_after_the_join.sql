-- Counted by movie, before the features: where no rating found a title, no user is left to segment. A landing without
-- ratings (one that holds customers alone) has no users to lose.
select sum(rating_count) as ratings_joined
from {{ ref('int_movies__titles') }}
having
    coalesce(sum(rating_count), 0) = 0
    and exists (select 1 from {{ source('movies', 'ratings') }})
