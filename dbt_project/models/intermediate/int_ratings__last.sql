{{ config(materialized='view') }}

with

ratings as (

    select * from {{ ref('stg_movies__ratings') }}

),

movies as (

    select * from {{ ref('int_movies__titles') }}

),

-- Read twice, not kept: a `limit` over a union waits for ever for the other readers of a kept one (DuckDB 2.0).
repeated as not materialized (

    select * from {{ ref('int_ratings__repeated') }}

),

rated_once as (

    select
        ratings.user_id,
        movies.title_row_id,
        ratings.rating,
        ratings.rated_at,
        1 as rating_count
    from ratings
    inner join movies on ratings.movie_id = movies.movie_id
    where
        not exists (
            select 1
            from repeated
            where
                repeated.user_id = ratings.user_id
                and repeated.title_row_id = movies.title_row_id
        )

),

final as (

    select
        user_id,
        title_row_id,
        rating,
        rated_at,
        rating_count
    from rated_once
    union all
    select
        user_id,
        title_row_id,
        rating,
        rated_at,
        rating_count
    from repeated

)

select * from final
