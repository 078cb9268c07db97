{#-
    The number in an IMDb id. One file writes tt0114709, the other 0114709, a spreadsheet in between 114709: as numbers
    they are the same title. Text without such a number gives NULL.
-#}
{% macro imdb_number(column) -%}
    try_cast(replace({{ column }}, 'tt', '') as bigint)
{%- endmacro %}
