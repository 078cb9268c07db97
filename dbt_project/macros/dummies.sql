{#- One column for each value, `<prefix>_<value>`: 1 where the column has that value, else 0. Belongs in a select list. -#}
{% macro dummies(column, prefix, values) -%}
    {%- for value in values -%}
        case when {{ column }} = '{{ value }}' then 1 else 0 end as {{ prefix }}_{{ value }}{{ ',\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- One piece of SQL for each value, which is `{value}` in the template: a list for a select. -#}
{% macro for_each(template, values) -%}
    {%- for value in values -%}
        {{ template | replace('{value}', value) }}{{ ',\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The same columns as `dummies`, for a group of rows: 1 where any of them has the value. Belongs in a select list. -#}
{% macro dummies_of_rows(column, prefix, values) -%}
    {{ for_each("max(case when " ~ column ~ " = '{value}' then 1 else 0 end) as " ~ prefix ~ "_{value}", values) }}
{%- endmacro %}
