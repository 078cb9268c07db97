with

landed as (

    select count(*) as line_count
    from {{ source('catalogue', 'catalogue') }}

),

counted as (

    select coalesce(sum(row_count), 0) as line_count
    from {{ ref('int_catalogue__titles') }}

)

select
    landed.line_count as landed,
    counted.line_count as counted
from landed
cross join counted
where landed.line_count <> counted.line_count
