-- The published clustering sees the region twice, as a number and as dummies: both are here.
{% set channels = ['google', 'facebook', 'youtube', 'linkedin', 'twitter', 'instagram', 'friend', 'other'] %}
{% set regions = ['anglo_saxon', 'western_europe', 'rest_of_world'] %}

with

customers as (

    select * from {{ ref('stg_customers__customers') }}

),

rules as (

    select * from {{ ref('customer_segment_rules') }}

),

-- Minutes only grow, so of several lines of one customer the one with most of them is the latest.
ranked as (

    select
        *,
        row_number() over (
            partition by customer_id
            order by minutes_watched desc nulls last, clv desc, region_id asc, channel_id asc, country asc nulls last
        ) as recency
    from customers

),

final as (

    select
        ---------- ids
        ranked.customer_id,

        ---------- text
        ranked.channel,
        ranked.region_label as region_name,
        ranked.country,
        rules.segment_name as segment_rule,

        ---------- numbers
        coalesce(ranked.minutes_watched, 0) as minutes_watched,
        ranked.clv,
        cast(ranked.region_id as integer) as region,

        ---------- flags
        case when ranked.minutes_watched > 0 then 1 else 0 end as has_watched,
        {{ dummies('ranked.channel', 'channel', channels) }},
        {{ dummies('ranked.region', 'region', regions) }}

    from ranked
    left join rules
        on
            ranked.channel_id = rules.channel_id
            and ranked.region_id = rules.region_id
    where ranked.recency = 1

)

select * from final
