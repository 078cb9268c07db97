with

members as (

    {{ user_members() }}

),

devices as (

    select * from {{ ref('user_devices') }}

),

pairs as (

    select
        members.segmentation,
        members.segment_id,
        devices.device,
        sum(devices.events) as events,
        count(*) as viewers
    from members
    inner join devices on members.user_id = devices.user_id
    group by members.segmentation, members.segment_id, devices.device

),

by_device as (

    select
        segmentation,
        device,
        sum(events) / sum(sum(events)) over (partition by segmentation) as base_share
    from pairs
    group by segmentation, device

),

segments as (

    select distinct
        segmentation,
        segment_id,
        segment_name
    from members

),

by_segment as (

    select
        segments.segmentation,
        segments.segment_id,
        segments.segment_name,
        sum(pairs.events) as events
    from segments
    inner join pairs
        on
            segments.segmentation = pairs.segmentation
            and segments.segment_id = pairs.segment_id
    group by segments.segmentation, segments.segment_id, segments.segment_name

),

-- Every segment that watches with every device: that nobody of it watches on a device is an answer too.
final as (

    select
        ---------- ids
        by_segment.segmentation,
        by_segment.segment_id,

        ---------- text
        by_segment.segment_name,
        by_device.device,

        ---------- numbers
        cast(coalesce(pairs.events, 0) as bigint) as events,
        coalesce(pairs.viewers, 0) as viewers,
        coalesce(pairs.events, 0) / by_segment.events as share,
        100 * coalesce(pairs.events, 0) / by_segment.events / by_device.base_share as index

    from by_segment
    inner join by_device on by_segment.segmentation = by_device.segmentation
    left join pairs
        on
            by_segment.segmentation = pairs.segmentation
            and by_segment.segment_id = pairs.segment_id
            and by_device.device = pairs.device

)

select * from final
