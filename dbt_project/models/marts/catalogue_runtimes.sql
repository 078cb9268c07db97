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
        cast(count(*) as bigint) as titles,
        cast(sum(case when titles.has_audience_score then 1 else 0 end) as bigint) as scored_titles,
        cast(avg(titles.audience_score) as double) as audience_score,
        cast(avg(titles.critic_score) as double) as critic_score,
        cast(avg(titles.weighted_score) as double) as weighted_score

    from titles
    left join runtimes on titles.runtime = runtimes.runtime
    group by titles.catalogue, coalesce(titles.runtime, 'Unknown')

)

select * from final
