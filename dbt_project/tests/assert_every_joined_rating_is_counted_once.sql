with

joined as (

    select sum(rating_count) as ratings
    from {{ ref('int_movies__titles') }}

),

counted as (

    select sum(total_ratings) as ratings
    from {{ ref('user_genre_stats') }}

)

select
    joined.ratings as ratings_joined,
    counted.ratings as ratings_counted
from joined
cross join counted
where joined.ratings <> counted.ratings
