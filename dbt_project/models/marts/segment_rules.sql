select
    segmentation,
    segment_id,
    rule,
    precision,
    coverage,
    reason,
    macro_f1,
    low,
    high
from {{ source('ml', 'segment_rules') }}
