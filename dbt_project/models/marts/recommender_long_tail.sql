with

steps as (

    select * from {{ source('recommender', 'recommender_long_tail') }}

)

select
    weight,
    ndcg,
    ndcg_change,
    change_low,
    change_high,
    coverage,
    long_tail,
    is_in_force
from steps
