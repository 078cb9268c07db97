{#-
    The names in a Python-literal list of dicts, one row per name:
    [{'id': 35, 'name': 'Comedy'}, {'id': 1, 'name': "Film's"}] gives Comedy and Film's.
    Either quote may stand around key and name; a backslash protects a quote inside. Belongs in a select list.
-#}
{% macro unnest_python_names(column) -%}
    {{ return(adapter.dispatch('unnest_python_names')(column)) }}
{%- endmacro %}

{% macro duckdb__unnest_python_names(column) -%}
    {%- set pattern -%}
        ['"]name['"]\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")
    {%- endset -%}
    {%- set pattern = pattern | replace("'", "''") -%}
    unnest(
        list_transform(
            list_zip(
                regexp_extract_all({{ column }}, '{{ pattern }}', 1),
                regexp_extract_all({{ column }}, '{{ pattern }}', 2)
            ),
            lambda quoted: regexp_replace(coalesce(quoted[1], quoted[2]), '\\(.)', '\1', 'g')
        )
    )
{%- endmacro %}

{#- A group that matched nothing is an empty text there. -#}
{% macro matineespark__unnest_python_names(column) -%}
    {%- set pattern -%}
        ['"]name['"]\s*:\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")
    {%- endset -%}
    {%- set pattern = pattern | replace("'", "''") -%}
    unnest(
        zip_with(
            regexp_extract_all({{ column }}, '{{ pattern }}', 1),
            regexp_extract_all({{ column }}, '{{ pattern }}', 2),
            (either, other) -> regexp_replace(concat(either, other), '\\(.)', '$1')
        )
    )
{%- endmacro %}

{#- The other way round: a list of names as such a literal; NULL for NULL. -#}
{% macro names_as_literal(column) -%}
    '[' || array_to_string(
        list_transform(
            {{ column }},
            lambda name: '{''name'': "' || replace(replace(name, '\', '\\'), '"', '\"') || '"}'
        ), ', '
    ) || ']'
{%- endmacro %}
