with

scores as (

    select * from {{ source('departure', 'departure') }}

)

select
    user_id,
    score,
    decile,
    reason,
    horizon_days,
    as_of
from scores
