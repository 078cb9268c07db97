select
    segmentation,
    segment_id,
    level,
    feature,
    above,
    up_to,
    members,
    share
from {{ source('ml', 'segment_levels') }}
