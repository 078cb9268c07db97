{#- The segmentations that divide users, as a list to select `in`: the ones whose entity is the user. -#}
{% macro user_segmentations() -%}
    select dividing.segmentation
    from {{ source('ml', 'segments') }} as dividing
    where dividing.entity = 'user_id'
{%- endmacro %}

{#- The members of these segmentations with their user id as the number it is, as a select: what marts of users begin with. -#}
{% macro user_members() -%}
    select
        members.segmentation,
        members.segment_id,
        members.segment_name,
        try_cast(members.entity_id as bigint) as user_id
    from {{ source('ml', 'segment_members') }} as members
    where members.segmentation in ({{ user_segmentations() }})
{%- endmacro %}
