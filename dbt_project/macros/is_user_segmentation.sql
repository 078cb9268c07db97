{#- True for segmentations that divide users. A segmentation's name begins with the entity it divides. -#}
{% macro is_user_segmentation(column) -%}
    substring({{ column }}, 1, 5) = 'user_'
{%- endmacro %}
