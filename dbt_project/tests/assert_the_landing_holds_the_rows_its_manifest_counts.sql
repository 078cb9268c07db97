{% set tables = {
    'ratings': 'movies', 'links': 'movies', 'titles': 'movies', 'customers': 'customers',
    'users': 'viewing', 'views': 'viewing', 'catalogue': 'catalogue'
} %}

with

held as (

    {% for table, dataset in tables.items() %}
        select
            '{{ table }}' as what,
            count(*) as row_count
        from {{ source(dataset, table) }}
        union all
    {% endfor %}
    select
        'rejects' as what,
        count(*) as row_count
    from {{ source('landing', 'rejects') }}

),

counted as (

    select
        table_name as what,
        sum(rows_landed) as row_count
    from {{ ref('landing_manifest') }}
    group by table_name
    union all
    select
        'rejects' as what,
        sum(rows_rejected) as row_count
    from {{ ref('landing_manifest') }}

)

select
    held.what,
    held.row_count as rows_held,
    counted.row_count as rows_counted
from held
left join counted on held.what = counted.what
where coalesce(counted.row_count, 0) <> held.row_count
