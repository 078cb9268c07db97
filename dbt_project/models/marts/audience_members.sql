select
    audience,
    entity_id,
    held_out
from {{ source('audiences', 'audience_matches') }}
where taken_by is null
