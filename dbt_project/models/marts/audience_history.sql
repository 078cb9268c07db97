select
    audience,
    entity_id,
    entered_at,
    left_at
from {{ source('audiences', 'audience_history') }}
