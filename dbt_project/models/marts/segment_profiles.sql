select
    segmentation,
    segment_id,
    feature,
    feature_label,
    kind,
    unit,
    segment_mean,
    base_mean,
    index,
    index_low,
    index_high,
    is_apart,
    is_volume
from {{ source('ml', 'segment_profiles') }}
