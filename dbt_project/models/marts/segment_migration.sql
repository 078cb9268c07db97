select
    segmentation,
    from_segment_id,
    to_segment_id,
    entities,
    share_of_from,
    from_segment_name,
    to_segment_name
from {{ source('ml', 'segment_migration') }}
