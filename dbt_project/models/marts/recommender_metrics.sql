with

metrics as (

    select * from {{ source('recommender', 'recommender_metrics') }}

)

select
    model,
    metric,
    value,
    low,
    high,
    is_default,
    is_baseline,
    judged_ratings,
    judged_until
from metrics
