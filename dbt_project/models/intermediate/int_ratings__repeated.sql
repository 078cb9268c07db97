-- Found apart, because so few ratings are repeats: 26 M pairs need not be ranked, and most need not even be counted.
-- Where user and movie rise from row to row, as in the public file, no user rated a movie twice, and a title can be
-- repeated only under several movie ids: 0.3 s to see that, 3 s of CPU to count all pairs, which any other order needs.
-- Each step reads the ratings itself: a CTE that two steps share would be held in memory, all 26 M rows of it.
{% set join_by = rating_join() %}

with

movies as (

    select
        movie_id,
        title_row_id,
        count(*) over (partition by title_row_id) as movies_of_title
    from {{ ref('int_movies__titles') }}

),

-- In whatever order the rows are read: a chain in which each pair is above the one before holds no pair twice.
in_reading_order as (

    select
        user_id,
        movie_id,
        lag(user_id) over () as user_before,
        lag(movie_id) over () as movie_before
    from {{ ref('stg_movies__ratings') }}

),

-- The first row has none before it and counts as one that does not rise; so does a missing id.
reading_order as (

    select
        sum(
            case
                when user_id > user_before or (user_id = user_before and movie_id > movie_before) then 0
                else 1
            end
        ) <= 1 as is_ascending
    from in_reading_order

),

repeated_pairs as (

    select
        ratings.user_id,
        movies.title_row_id
    from {{ ref('stg_movies__ratings') }} as ratings
    inner join movies on ratings.movie_id = movies.movie_id
    where
        {% if join_by == 'direct' %}
            -- The published method kept every joined row: nothing counts as a repeat.
            false
        {% else %}
            movies.movies_of_title > 1
            or not (select reading_order.is_ascending from reading_order)
        {% endif %}
    group by ratings.user_id, movies.title_row_id
    having count(*) > 1

),

ranked as (

    select
        ratings.user_id,
        movies.title_row_id,
        ratings.rating,
        ratings.rated_at,
        count(*) over (partition by ratings.user_id, movies.title_row_id) as rating_count,
        row_number() over (
            partition by ratings.user_id, movies.title_row_id
            order by ratings.rated_at desc nulls last, ratings.movie_id desc, ratings.rating desc
        ) as recency
    from {{ ref('stg_movies__ratings') }} as ratings
    inner join movies on ratings.movie_id = movies.movie_id
    inner join repeated_pairs
        on
            ratings.user_id = repeated_pairs.user_id
            and movies.title_row_id = repeated_pairs.title_row_id

),

last_ratings as (

    select
        user_id,
        title_row_id,
        rating,
        rated_at,
        rating_count
    from ranked
    where recency = 1

)

select * from last_ratings
