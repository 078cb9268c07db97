with

used as (

    select distinct
        segmentation,
        segment_id,
        segment_name
    from {{ ref('segment_members') }}

)

select used.*
from used
left join {{ ref('segments') }} as segments
    on
        used.segmentation = segments.segmentation
        and used.segment_id = segments.segment_id
        and used.segment_name = segments.segment_name
where segments.segment_id is null
