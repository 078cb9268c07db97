select
    segmentation,
    segment_id,
    feature
from {{ source('ml', 'segment_claims') }}
where
    is_supported is null
    or (is_supported and (sentence is null or reason is not null))
    or (not is_supported and (sentence is not null or reason is null))
