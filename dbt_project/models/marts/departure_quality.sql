with

figures as (

    select * from {{ source('departure', 'departure_quality') }}

)

select
    measure,
    value,
    beside,
    low,
    high,
    threshold,
    passed
from figures
