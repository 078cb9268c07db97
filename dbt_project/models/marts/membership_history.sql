with

stays as (

    select
        *,
        case when segmentation in ({{ user_segmentations() }}) then try_cast(entity_id as bigint) end as number
    from {{ source('ml', 'membership_history') }}

),

ids as (

    select * from {{ source('landing', 'ids') }}

),

final as (

    select
        stays.segmentation,
        {{ as_written('stays.entity_id') }} as entity_id,
        stays.segment_id,
        stays.segment_name,
        stays.entered_at,
        stays.left_at
    from stays
    left join ids on stays.number = ids.number

)

select * from final
