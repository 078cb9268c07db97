with

segments as (

    select * from {{ ref('segments') }}

),

summed as (

    select
        segmentation,
        entity,
        count(*) as segments,
        cast(sum(members) as bigint) as members,
        count(coalesce(audience, content_strategy, marketing_strategy)) > 0 as has_playbook
    from segments
    group by segmentation, entity

),

final as (

    select
        ---------- ids
        segmentation,
        cast(
            row_number() over (order by has_playbook desc, entity = 'user_id' desc, segmentation asc) as integer
        ) as place,

        ---------- text
        entity,

        ---------- numbers
        segments,
        members,

        ---------- flags
        has_playbook,
        segmentation = '{{ var("reason_segmentation") }}' as is_named_in_reasons

    from summed

)

select * from final
