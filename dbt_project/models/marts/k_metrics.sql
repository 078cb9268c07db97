select
    segmentation,
    k,
    inertia,
    silhouette,
    calinski_harabasz,
    davies_bouldin,
    size_min,
    size_max,
    is_elbow,
    is_published,
    lift,
    bootstrap_ari
from {{ source('ml', 'k_metrics') }}
