select
    audience,
    step,
    side,
    condition,
    kept,
    dropped
from {{ source('audiences', 'audience_waterfall') }}
