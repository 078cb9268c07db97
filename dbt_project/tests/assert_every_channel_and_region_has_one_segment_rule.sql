with

pairs as (

    select
        channels.channel_id,
        regions.region_id,
        count(*) as meanings
    from {{ ref('channels') }} as channels
    cross join {{ ref('regions') }} as regions
    group by channels.channel_id, regions.region_id

),

ruled as (

    select
        channel_id,
        region_id,
        count(segment_name) as rules
    from {{ ref('customer_segment_rules') }}
    group by channel_id, region_id

)

select
    coalesce(pairs.channel_id, ruled.channel_id) as channel_id,
    coalesce(pairs.region_id, ruled.region_id) as region_id,
    pairs.meanings,
    ruled.rules
from pairs
full outer join ruled
    on
        pairs.channel_id = ruled.channel_id
        and pairs.region_id = ruled.region_id
where
    coalesce(pairs.meanings, 0) <> 1
    or coalesce(ruled.rules, 0) <> 1
