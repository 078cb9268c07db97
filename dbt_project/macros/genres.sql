{#-
    One piece of SQL for each genre column, in the order of the var `genres`; `{genre}` in the template is its name
    and `{bit}` a power of two of its own:
    for_each_genre('sum(is_{genre}) as cnt_{genre}') is a list of 20 sums for a select.
-#}
{% macro for_each_genre(template, separator=',') -%}
    {%- for genre in var('genres') -%}
        {{ template | replace('{genre}', genre) | replace('{bit}', 2 ** loop.index0) }}{{ separator ~ '\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The one of 20 genre columns that belongs to the row's genre: turns columns into rows after a join with the genres. -#}
{% macro column_of_genre(template, genre='genres.genre') -%}
    case {{ genre }}
    {%- for name in var('genres') %}
        when '{{ name }}' then {{ template | replace('{genre}', name) }}
    {%- endfor %}
    end
{%- endmacro %}
