{#- One column for each value, `<prefix>_<value>`: 1 where the column has that value, else 0. Belongs in a select list. -#}
{% macro dummies(column, prefix, values) -%}
    {%- for value in values -%}
        case when {{ column }} = '{{ value }}' then 1 else 0 end as {{ prefix }}_{{ value }}{{ ',\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}
