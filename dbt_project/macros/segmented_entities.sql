{#- The segmentations that divide an entity (the column that identifies one), as a list to select `in`. -#}
{% macro segmentations_of(entity) -%}
    select dividing.segmentation
    from {{ source('ml', 'segments') }} as dividing
    where dividing.entity = '{{ entity }}'
{%- endmacro %}

{#-
    The entities of a feature table that a segmentation leaves out or holds twice, and the members that have no
    features: when the features were rebuilt and the segmentations were not, their members are other entities.
-#}
{% macro entities_without_exactly_one_segment(entity, entity_type, features) -%}
with

segmentations as (

    select distinct segmentation
    from {{ ref('segments') }}
    where segmentation in ({{ segmentations_of(entity) }})

),

expected as (

    select
        segmentations.segmentation,
        features.{{ entity }}
    from segmentations
    cross join {{ features }} as features

),

members as (

    select
        segmentation,
        try_cast(entity_id as {{ entity_type }}) as {{ entity }},
        count(*) as segments
    from {{ ref('segment_members') }}
    where segmentation in ({{ segmentations_of(entity) }})
    group by segmentation, entity_id

)

select
    coalesce(expected.segmentation, members.segmentation) as segmentation,
    coalesce(expected.{{ entity }}, members.{{ entity }}) as {{ entity }},
    members.segments
from expected
full outer join members
    on
        expected.segmentation = members.segmentation
        and expected.{{ entity }} = members.{{ entity }}
where
    expected.{{ entity }} is null
    or members.{{ entity }} is null
    or members.segments <> 1
{%- endmacro %}
