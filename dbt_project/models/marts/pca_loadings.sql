select
    segmentation,
    component,
    feature,
    loading,
    explained_variance_ratio
from {{ source('ml', 'pca_loadings') }}
