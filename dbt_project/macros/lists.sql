{#- The parts of a text that commas divide, one row each, without blanks around them. Belongs in a select list. -#}
{% macro unnest_list(column) -%}
    unnest(list_transform(string_split({{ column }}, ','), lambda part: trim(part)))
{%- endmacro %}
