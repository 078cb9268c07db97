with

published as (

    select
        segmentation,
        max(case when is_published then k end) as k
    from {{ ref('k_metrics') }}
    group by segmentation

),

counted as (

    select
        segmentation,
        count(*) as segments
    from {{ ref('segments') }}
    group by segmentation

)

select
    counted.segmentation,
    published.k,
    counted.segments
from counted
left join published on counted.segmentation = published.segmentation
where
    published.k is null
    or published.k <> counted.segments
