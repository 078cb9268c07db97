select
    segmentation,
    segment_id,
    measure,
    value,
    low,
    high,
    beside,
    beside_random,
    beside_volume,
    beside_shuffled,
    threshold,
    passed
from {{ source('ml', 'segment_quality') }}
