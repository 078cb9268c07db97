select
    feature,
    label
from {{ ref('int_features__labels') }}
