{#-
    The genres that have a column, in order: those that the data has, as `int_genres__columns` found them. A model is
    compiled when its turn comes, so that table stands by then. Where there is none, because nothing was built yet (parse,
    docs) or no title of a genre landed, they are the genres of the published analysis. Unit tests override this macro.
-#}
{% macro genre_columns() -%}
    {{ return(column_names(ref('int_genres__columns'), 'genre', var('published_genres'))) }}
{%- endmacro %}

{#- The genres and the languages that have a column in the features of titles, found alike. -#}
{% macro title_genre_columns() -%}
    {{ return(column_names(
        ref('int_genres__vocabulary'), 'genre_column', var('published_genres'), "used_for = 'titles'"
    )) }}
{%- endmacro %}

{% macro title_language_columns() -%}
    {{ return(column_names(ref('int_languages__vocabulary'), 'language_column', var('published_languages'))) }}
{%- endmacro %}

{#-
    The names in a column of a table, in the order of its `column_position`; `otherwise` where it has none. Asked once in an
    invocation: what dbt knows of the project keeps the answer for the models that come after.
-#}
{% macro column_names(table, column, otherwise, condition='true') -%}
    {%- set known = graph.setdefault('column names', {}) if execute else {} -%}
    {%- set asked = invocation_id ~ table ~ column ~ condition -%}
    {%- if asked not in known and execute and load_relation(table) -%}
        {%- set names = run_query(
            'select ' ~ column ~ ' from ' ~ table ~ ' where ' ~ condition ~ ' and ' ~ column ~ ' is not null group by '
            ~ column ~ ' order by min(column_position)'
        ).columns[0].values() -%}
        {%- if names -%}
            {%- do known.update({asked: names | list}) -%}
        {%- endif -%}
    {%- endif -%}
    {{ return(known.get(asked, otherwise)) }}
{%- endmacro %}

{#-
    One piece of SQL for each genre column, in order; `{genre}` in the template is its name and `{bit}` a power of two of
    its own: for_each_genre('sum(is_{genre}) as cnt_{genre}') is a list of sums for a select.
-#}
{% macro for_each_genre(template, separator=',') -%}
    {%- for genre in genre_columns() -%}
        {{ template | replace('{genre}', genre) | replace('{bit}', 2 ** loop.index0) }}{{ separator ~ '\n' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The one genre column that belongs to the row's genre: turns columns into rows after a join with `int_genres__columns`. -#}
{% macro column_of_genre(template, genre='genres.genre') -%}
    case {{ genre }}
    {%- for name in genre_columns() %}
        when '{{ name }}' then {{ template | replace('{genre}', name) }}
    {%- endfor %}
    end
{%- endmacro %}

{#- SQL for what a name is worth when columns are few: itself among the most used, else `other`; NULL where it is none. -#}
{% macro column_or_other(name, place, most, is_none='false') -%}
    case when {{ is_none }} then null when {{ place }} <= {{ most }} then {{ name }} else 'other' end
{%- endmacro %}

{#- SQL for the place of a column: those of the published analysis first and in its order, `other` last. -#}
{% macro column_place(column, published) -%}
    case {{ column }}
    {%- for name in published %}
        when '{{ name }}' then {{ loop.index }}
    {%- endfor %}
        when 'other' then {{ published | length + 2 }}
        else {{ published | length + 1 }}
    end, {{ column }}
{%- endmacro %}
