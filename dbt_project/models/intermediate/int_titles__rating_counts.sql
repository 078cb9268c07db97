-- What every distribution of ratings is summed from: some 300 thousand rows instead of 26 million.
with

ratings as (

    select * from {{ ref('int_ratings__last') }}

),

counted as (

    select
        title_row_id,
        rating,
        count(*) as ratings
    from ratings
    where title_row_id is not null
    group by title_row_id, rating

)

select * from counted
