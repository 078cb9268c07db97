with

metrics as (

    select * from {{ source('recommender', 'recommender_metrics') }}

)

select
    model,
    metric,
    value,
    is_default,
    is_baseline
from metrics
