select
    segmentation,
    k,
    method,
    is_anchored,
    inertia,
    free_inertia,
    starts,
    best_start_share,
    start_agreement,
    free_agreement,
    left_rule,
    ward_k,
    ward_rows
from {{ source('ml', 'start_agreement') }}
