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

said as (

    select * from {{ source('ml', 'segment_words') }}

),

final as (

    select
        ---------- ids
        segments.segmentation,
        segments.segment_id,

        ---------- text
        segments.segment_name,
        segments.entity,
        said.audience,
        said.content_strategy,
        said.marketing_strategy,
        said.name_doubt,
        said.badge,
        said.badge_level,

        ---------- numbers
        coalesce(members.members, 0) as members,
        coalesce(members.members, 0)
        / nullif(sum(members.members) over (partition by segments.segmentation), 0) as share

    from segments
    left join members
        on
            segments.segmentation = members.segmentation
            and segments.segment_id = members.segment_id
    left join said
        on
            segments.segmentation = said.segmentation
            and segments.segment_id = said.segment_id

)

select * from final
