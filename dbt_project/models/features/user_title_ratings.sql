{{ config(materialized='view') }}

with

ratings as (

    select * from {{ ref('int_ratings__last') }}

),

final as (

    select
        ---------- ids
        user_id,
        title_id,

        ---------- numbers
        cast(rating as double) as rating,

        ---------- times
        cast(rated_at as timestamp) as rated_at

    from ratings

)

select * from final
