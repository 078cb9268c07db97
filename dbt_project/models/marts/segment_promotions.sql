select
    segmentation,
    version,
    status,
    reason,
    decided_at
from {{ source('ml', 'segment_promotions') }}
