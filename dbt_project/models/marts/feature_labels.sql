select
    feature,
    feature_label
from {{ ref('int_features__labels') }}
