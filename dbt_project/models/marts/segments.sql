with

segments as (

    select * from {{ source('ml', 'segments') }}

),

members as (

    select
        segmentation,
        segment_id,
        count(*) as members
    from {{ source('ml', 'segment_members') }}
    group by segmentation, segment_id

),

playbook as (

    select * from {{ ref('segment_playbook') }}

),

final as (

    select
        ---------- ids
        segments.segmentation,
        segments.segment_id,

        ---------- text
        segments.segment_name,
        segments.entity,
        playbook.audience,
        playbook.content_strategy,
        playbook.marketing_strategy,

        ---------- numbers
        coalesce(members.members, 0) as members,
        coalesce(members.members, 0)
        / nullif(sum(members.members) over (partition by segments.segmentation), 0) as share

    from segments
    left join members
        on
            segments.segmentation = members.segmentation
            and segments.segment_id = members.segment_id
    left join playbook
        on
            segments.segmentation = playbook.segmentation
            and segments.segment_name = playbook.segment_name

)

select * from final
