select
    segmentation,
    feature,
    eta_squared,
    kruskal_p,
    best_column,
    best_eta_squared,
    best_kruskal_p
from {{ source('ml', 'segment_separation') }}
