with

titles as (

    select * from {{ ref('int_titles__weighted') }}

),

runtimes as (

    select * from {{ ref('runtimes') }}

),

final as (

    select
        ---------- ids
        titles.catalogue,

        ---------- text
        coalesce(titles.runtime, 'Unknown') as runtime,
        cast(coalesce(min(runtimes.runtime_order), 99) as integer) as runtime_order,
        cast(sum(case when titles.kind = 'series' then 1 else 0 end) as bigint) as series,

        ---------- numbers
        {{ score_aggregates() }}

    from titles
    left join runtimes on titles.runtime = runtimes.runtime
    group by titles.catalogue, coalesce(titles.runtime, 'Unknown')

)

select * from final
