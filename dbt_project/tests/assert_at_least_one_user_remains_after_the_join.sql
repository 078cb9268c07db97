-- Counted by movie, before the features: a user without a joined rating has no row there, so no joined rating is no user.
select sum(rating_count) as ratings_joined
from {{ ref('int_movies__titles') }}
having coalesce(sum(rating_count), 0) = 0
