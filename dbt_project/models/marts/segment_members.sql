select
    segmentation,
    entity_id,
    segment_id,
    segment_name
from {{ source('ml', 'segment_members') }}
