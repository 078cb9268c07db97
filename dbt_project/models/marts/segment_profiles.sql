select
    segmentation,
    segment_id,
    feature,
    segment_mean,
    base_mean,
    index
from {{ source('ml', 'segment_profiles') }}
