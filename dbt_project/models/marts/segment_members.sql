-- A title's id is text in its features already; a user's is the number that stands for it.
with

members as (

    select
        *,
        case when segmentation in ({{ user_segmentations() }}) then try_cast(entity_id as bigint) end as number
    from {{ source('ml', 'segment_members') }}

),

ids as (

    select * from {{ source('landing', 'ids') }}

),

final as (

    select
        members.segmentation,
        {{ as_written('members.entity_id') }} as entity_id,
        members.segment_id,
        members.segment_name
    from members
    left join ids on members.number = ids.number

)

select * from final
