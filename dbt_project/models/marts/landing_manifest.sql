select
    table_name,
    source,
    sha256,
    bytes,
    rows_read,
    rows_landed,
    rows_rejected,
    rows_left_out,
    unreadable_cells,
    landed_at
from {{ source('landing', 'manifest') }}
