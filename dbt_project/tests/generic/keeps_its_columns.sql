{#-
    A contract for a table whose columns the data decides. Fails on each column that is missing, of another type or not
    declared, and on rows without a value or of which a condition does not hold. `columns` are fixed (name: type);
    `of_each` are those of each name that a macro gives, `{name}` in them; `may_be_null` may be; `holds` are conditions.
-#}
{% test keeps_its_columns(model, columns, of_each, may_be_null=[], holds=[]) %}
{%- set declared = dict(columns) -%}
{%- for macro_name, templates in of_each.items() -%}
    {#- Called by name: dbt looks for the macros that a test calls before it runs it. -#}
    {%- if macro_name == 'genre_columns' -%}
        {%- set names = genre_columns() -%}
    {%- elif macro_name == 'device_columns' -%}
        {%- set names = device_columns() -%}
    {%- elif macro_name == 'eras' -%}
        {%- set names = eras() -%}
    {%- elif macro_name == 'title_genre_columns' -%}
        {%- set names = title_genre_columns() -%}
    {%- else -%}
        {%- set names = title_language_columns() -%}
    {%- endif -%}
    {%- for name in names -%}
        {%- for template, type in templates.items() -%}
            {%- do declared.update({template | replace('{name}', name): type}) -%}
        {%- endfor -%}
    {%- endfor -%}
{%- endfor -%}
{%- set held = {} -%}
{%- if execute -%}
    {%- for column in adapter.get_columns_in_relation(model) -%}
        {%- do held.update({column.name: column.dtype | lower}) -%}
    {%- endfor -%}
{%- endif -%}
{%- for name in (declared.keys() | list + held.keys() | list) | unique if declared.get(name) != held.get(name) %}
select
    '{{ name }}' as column_name,
    '{{ declared.get(name, "none") }}' as declared_type,
    '{{ held.get(name, "none") }}' as held_type
union all
{%- endfor %}
select
    'any' as column_name,
    'a value{% for condition in holds %}, {{ condition }}{% endfor %}' as declared_type,
    'none' as held_type
from {{ model }}
where
    {% for name in held if name not in may_be_null %}{{ name }} is null or {% endfor %}false
    {% for condition in holds -%}
        or not ({{ condition }})
    {% endfor %}
{% endtest %}
