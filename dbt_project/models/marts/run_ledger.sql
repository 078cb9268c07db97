{#- A view of the files as they are: a table would lack what the run did between here and publishing. -#}
{{ config(materialized='view') }}

select
    run,
    stage,
    started_at,
    outcome,
    seconds,
    cpu_seconds,
    peak_bytes,
    rows_in,
    rows_out,
    bytes_in,
    bytes_out
from {{ source('ledger', 'stages') }}
