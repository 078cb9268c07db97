select
    source,
    table_name,
    line,
    reason,
    raw_text,
    is_known_quirk
from {{ source('landing', 'rejects') }}
