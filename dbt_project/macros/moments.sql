{#- Number of a moment's weekday, 1 for Monday to 7 for Sunday: the number that engines agree on least. -#}
{% macro iso_weekday(column) -%}
    {{ return(adapter.dispatch('iso_weekday')(column)) }}
{%- endmacro %}

{% macro duckdb__iso_weekday(column) -%}
    cast(isodow({{ column }}) as integer)
{%- endmacro %}

{% macro matineespark__iso_weekday(column) -%}
    weekday({{ column }}) + 1
{%- endmacro %}

{#- The day before which nothing can have been released: the oldest series of photographs that counts as a film is of 1874. -#}
{% macro first_film_day() -%}
    cast('1870-01-01' as date)
{%- endmacro %}

{#- Years from one date to another, with their fraction: 365.25 days each. -#}
{% macro years_between(earlier, later) -%}
    {{ dbt.datediff(earlier, later, 'day') }} / 365.25
{%- endmacro %}
