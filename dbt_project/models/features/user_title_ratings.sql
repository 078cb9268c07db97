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

)

select * from final
