{#-
    Creates, empty, each ML table that Python has not written yet, so that the SQL layer builds before the first
    segmentation ran. Columns and types are those the `ml` source declares: they are stated nowhere else.
-#}
{% macro create_missing_ml_tables() -%}
    {%- if execute -%}
        {%- for node in graph.sources.values() if node.schema == 'ml' -%}
            {%- set columns = [] -%}
            {%- for column in node.columns.values() -%}
                {%- do columns.append(adapter.quote(column.name) ~ ' ' ~ column.data_type) -%}
            {%- endfor -%}
            {%- set table = api.Relation.create(database=target.database | default(none), schema=node.schema, identifier=node.name) -%}
            {%- do run_query('create schema if not exists ' ~ table.without_identifier()) -%}
            {%- do adapter.dispatch('create_ml_table')(table, columns | join(', ')) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__create_ml_table(table, columns) -%}
    {%- do run_query('create table if not exists ' ~ table ~ ' (' ~ columns ~ ')') -%}
{%- endmacro %}

{#- Over the files that Python writes; made anew, for Spark remembers which files there were. -#}
{% macro matineespark__create_ml_table(table, columns) -%}
    {%- do run_query('drop table if exists ' ~ table) -%}
    {%- do run_query(
        adapter.to_spark('create table ' ~ table ~ ' (' ~ columns ~ ')') ~ " using parquet location "
        ~ spark_text(in_warehouse('spark/ml/' ~ table.identifier))
    ) -%}
{%- endmacro %}
