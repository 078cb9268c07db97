{#- Number of a moment's weekday, 1 for Monday to 7 for Sunday: the number that engines agree on least. -#}
{% macro iso_weekday(column) -%}
    {{ return(adapter.dispatch('iso_weekday')(column)) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(column) -%}
    cast(isodow({{ column }}) as integer)
{%- endmacro %}
