{#-
    The id that stands for a number, as the source writes it: the text of landing's `ids` where there is one, else the
    number itself. `ids` is the alias of that table, joined on `ids.number`.
-#}
{% macro as_written(number) -%}
    coalesce(ids.id, cast({{ number }} as varchar))
{%- endmacro %}
