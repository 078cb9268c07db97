select
    segmentation,
    segment_id,
    feature,
    feature_label,
    segment_mean,
    base_mean,
    index
from {{ source('ml', 'segment_profiles') }}
