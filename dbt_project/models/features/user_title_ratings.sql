-- A view: recommenders read the 26 M rows once, and once is cheaper than writing them.
{{ config(materialized='view') }}

with

ratings as (

    select * from {{ ref('int_ratings__last') }}

),

titles as (

    select
        title_row_id,
        title_id
    from {{ ref('int_titles__with_genres') }}

),

unlisted as (

    select
        ratings.user_id,
        unlisted.title_id,
        ratings.rating,
        ratings.rated_at,
        row_number() over (
            partition by ratings.user_id, unlisted.title_id
            order by ratings.rated_at desc nulls last, ratings.movie_id desc, ratings.rating desc
        ) as recency
    from {{ ref('stg_movies__ratings') }} as ratings
    inner join {{ ref('int_titles__unlisted') }} as unlisted on ratings.movie_id = unlisted.movie_id
    where unlisted.title_id is not null

),

final as (

    select
        ---------- ids
        ratings.user_id,
        titles.title_id,

        ---------- numbers
        cast(ratings.rating as double) as rating,

        ---------- times
        cast(ratings.rated_at as timestamp) as rated_at

    from ratings
    inner join titles on ratings.title_row_id = titles.title_row_id
    union all
    select
        user_id,
        title_id,
        cast(rating as double) as rating,
        cast(rated_at as timestamp) as rated_at
    from unlisted
    where recency = 1

)

select * from final
