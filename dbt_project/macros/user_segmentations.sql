{#- The segmentations that divide users, as a list to select `in`: the ones whose entity is the user. -#}
{% macro user_segmentations() -%}
    select dividing.segmentation
    from {{ source('ml', 'segments') }} as dividing
    where dividing.entity = 'user_id'
{%- endmacro %}
