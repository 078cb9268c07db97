select
    table_name,
    source,
    rows_read,
    rows_landed,
    rows_rejected,
    rows_left_out
from {{ ref('landing_manifest') }}
where rows_read <> rows_landed + rows_rejected + rows_left_out
