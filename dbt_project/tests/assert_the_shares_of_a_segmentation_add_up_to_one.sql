select
    segmentation,
    sum(share) as total_share
from {{ ref('segments') }}
group by segmentation
having abs(sum(share) - 1) > 1e-9
