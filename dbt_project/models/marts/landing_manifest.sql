select
    table_name,
    source,
    sha256,
    bytes,
    rows_read,
    rows_landed,
    rows_rejected,
    landed_at
from {{ source('landing', 'manifest') }}
