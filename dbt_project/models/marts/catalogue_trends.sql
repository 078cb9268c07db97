with

titles as (

    select * from {{ ref('int_titles__weighted') }}

),

final as (

    select
        ---------- ids
        titles.catalogue,
        cast(titles.release_year as integer) as release_year,

        ---------- numbers
        cast(count(*) as bigint) as titles,
        cast(sum(case when titles.has_audience_score then 1 else 0 end) as bigint) as scored_titles,
        cast(avg(titles.audience_score) as double) as audience_score,
        cast(avg(titles.critic_score) as double) as critic_score,
        cast(avg(titles.weighted_score) as double) as weighted_score

    from titles
    where titles.release_year is not null
    group by titles.catalogue, titles.release_year

)

select * from final
