with

pairs as (

    select
        region as region_id,
        channel,
        count(*) as customers
    from {{ ref('customer_features') }}
    group by region, channel

),

by_region as (

    select
        region_id,
        sum(customers) as customers
    from pairs
    group by region_id

),

by_channel as (

    select
        channel,
        sum(customers) / sum(sum(customers)) over () as base_share
    from pairs
    group by channel

),

-- Every region with every channel: that nobody of a region came through a channel is an answer too.
counted as (

    select
        by_region.region_id,
        by_channel.channel,
        by_channel.base_share,
        coalesce(pairs.customers, 0) as customers,
        coalesce(pairs.customers, 0) / by_region.customers as region_share
    from by_region
    cross join by_channel
    left join pairs
        on
            by_region.region_id = pairs.region_id
            and by_channel.channel = pairs.channel

),

final as (

    select
        ---------- ids
        regions.region,
        counted.channel,

        ---------- text
        regions.region_label,
        channels.channel_label,

        ---------- numbers
        counted.customers,
        counted.region_share,
        counted.base_share,
        100 * counted.region_share / counted.base_share as index

    from counted
    inner join {{ ref('regions') }} as regions on counted.region_id = regions.region_id
    inner join {{ ref('channels') }} as channels on counted.channel = channels.channel

)

select * from final
