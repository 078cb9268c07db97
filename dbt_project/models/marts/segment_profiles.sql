select
    segmentation,
    segment_id,
    feature,
    feature_label,
    segment_mean,
    base_mean,
    index,
    index_low,
    index_high,
    is_apart
from {{ source('ml', 'segment_profiles') }}
