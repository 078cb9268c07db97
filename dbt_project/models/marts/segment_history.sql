select
    segmentation,
    happened_at,
    kind,
    segment_id,
    segment_name,
    from_id,
    into_id,
    share
from {{ source('ml', 'segment_history') }}
