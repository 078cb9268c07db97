-- Beside each mean stands what a single customer cannot move: the median, and the mean without the largest value.
with

customers as (

    select * from {{ ref('customer_features') }}

),

channels as (

    select * from {{ ref('channels') }}

),

summed as (

    select
        channel,
        count(*) as customers,
        avg(minutes_watched) as mean_minutes_watched,
        median(minutes_watched) as median_minutes_watched,
        (sum(minutes_watched) - max(minutes_watched)) / nullif(count(*) - 1, 0) as mean_minutes_without_largest,
        avg(1 - has_watched) as never_watched_share,
        avg(clv) as mean_clv,
        median(clv) as median_clv
    from customers
    group by channel

),

final as (

    select
        ---------- ids
        summed.channel,

        ---------- text
        channels.channel_label,

        ---------- numbers
        summed.customers,
        summed.customers / sum(summed.customers) over () as share,
        summed.mean_minutes_watched,
        summed.median_minutes_watched,
        summed.mean_minutes_without_largest,
        summed.never_watched_share,
        summed.mean_clv,
        summed.median_clv

    from summed
    inner join channels on summed.channel = channels.channel

)

select * from final
