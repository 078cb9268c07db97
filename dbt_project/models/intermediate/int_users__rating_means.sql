with

ratings as (

    select * from {{ ref('int_ratings__last') }}

),

averaged as (

    select
        user_id,
        avg(rating) as mean_rating
    from ratings
    group by user_id

)

select * from averaged
