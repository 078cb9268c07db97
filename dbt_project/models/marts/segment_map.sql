select
    segmentation,
    k,
    segment_id,
    segment_name,
    is_centre,
    pc1,
    pc2
from {{ source('ml', 'segment_map') }}
