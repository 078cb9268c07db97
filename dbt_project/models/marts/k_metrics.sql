with

tried as (

    select * from {{ source('ml', 'k_metrics') }}

),

-- What is published was judged once more, on more resamples: one number of segments has one figure.
judged as (

    select
        segmentation,
        max(case when measure = 'lift' then value end) as lift,
        max(case when measure = 'bootstrap_ari' then value end) as bootstrap_ari
    from {{ source('ml', 'segment_quality') }}
    where segment_id is null
    group by segmentation

)

select
    tried.segmentation,
    tried.k,
    tried.inertia,
    tried.silhouette,
    tried.calinski_harabasz,
    tried.davies_bouldin,
    tried.size_min,
    tried.size_max,
    tried.is_elbow,
    tried.is_published,
    case when tried.is_published then coalesce(judged.lift, tried.lift) else tried.lift end as lift,
    case when tried.is_published then coalesce(judged.bootstrap_ari, tried.bootstrap_ari) else tried.bootstrap_ari end
        as bootstrap_ari
from tried
left join judged on tried.segmentation = judged.segmentation
