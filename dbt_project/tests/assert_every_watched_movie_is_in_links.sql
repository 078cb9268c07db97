-- Viewing may have landed without movies: then no movie is known, and none is missing.
select
    movie_id,
    event_count
from {{ ref('int_viewing__titles') }}
where
    not is_linked
    and exists (select 1 from {{ ref('stg_movies__links') }})
