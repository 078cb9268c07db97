{#-
    Puts the landed files of this warehouse behind the tables of schema `landing`, which the sources name, and stops a
    run that has nothing to read. The path is looked up when a run starts, so a parsed manifest serves any warehouse.
-#}
{% macro open_landing() -%}
    {%- if execute -%}
        {%- set folder = env_var('MATINEE_WAREHOUSE', '../warehouse') ~ '/landing/current' -%}
        {%- do run_query('create schema if not exists landing') -%}
        {%- for node in graph.sources.values() if node.schema == 'landing' -%}
            {%- set table = api.Relation.create(
                database=target.database, schema=node.schema, identifier=node.name
            ) -%}
            {%- if not open_landed_table(table, folder ~ '/' ~ node.name) -%}
                {{ exceptions.raise_compiler_error(
                    "Nothing has landed for '" ~ node.name ~ "': there is no Parquet file in " ~ folder ~ '/' ~ node.name
                    ~ ". Run `matinee run` (the demo world) or `matinee run --source PATH` (your files) first, "
                    ~ "or point MATINEE_WAREHOUSE at a warehouse that has a landing."
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- Makes `table` read the files of `folder`; false when the folder holds none. -#}
{% macro open_landed_table(table, folder) -%}
    {{ return(adapter.dispatch('open_landed_table')(table, folder)) }}
{%- endmacro %}

{% macro duckdb__open_landed_table(table, folder) -%}
    {%- set files = "'" ~ folder | replace("'", "''") ~ "/*.parquet'" -%}
    {%- if run_query('select count(*) from glob(' ~ files ~ ')').columns[0][0] == 0 -%}
        {{ return(false) }}
    {%- endif -%}
    {%- do run_query('create or replace view ' ~ table ~ ' as select * from read_parquet(' ~ files ~ ')') -%}
    {{ return(true) }}
{%- endmacro %}
