with

free_segments as (

    select * from {{ source('ml', 'free_segments') }}

),

segments as (

    select * from {{ source('ml', 'segments') }}

),

final as (

    select
        ---------- ids
        free_segments.segmentation,
        free_segments.group_id,
        free_segments.nearest_segment_id,

        ---------- text
        segments.segment_name as nearest_segment_name,

        ---------- numbers
        free_segments.members,
        free_segments.shared_members

    from free_segments
    left join segments
        on
            free_segments.segmentation = segments.segmentation
            and free_segments.nearest_segment_id = segments.segment_id

)

select * from final
