with

lift as (

    select * from {{ source('ml', 'audience_lift') }}

)

select
    audience,
    outcome,
    horizon_days,
    treated,
    held_out,
    mean_treated,
    mean_held_out,
    difference,
    low,
    high,
    detectable,
    says
from lift
