{#-
    Puts the landed files of this warehouse behind the tables of schema `landing`, which the sources name. A source may
    hold some datasets and not others: what has not landed is a table without rows, of the columns that are declared,
    so that every model builds. Where nothing has landed at all the run stops. The path is looked up when a run starts,
    so a parsed manifest serves any warehouse. It is that of the set landed last, which is in force once what is made of it
    has been published.
-#}
{% macro open_landing() -%}
    {%- if execute -%}
        {%- if not open_sources('landing', 'landing/candidate/{table}') -%}
            {{ exceptions.raise_compiler_error(
                "Nothing has landed: there is no Parquet file in the folders of "
                ~ env_var('MATINEE_WAREHOUSE', '../warehouse') ~ "/landing/candidate"
                ~ ". Run `matinee run` (the demo world) or `matinee run --source PATH` (your files) first, "
                ~ "or point MATINEE_WAREHOUSE at a warehouse that has a landing."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Puts the ledger of runs, which every step of a run goes on with, behind the tables of schema `ledger`. -#}
{% macro open_ledger() -%}
    {%- if execute -%}
        {%- do open_sources('ledger', 'ledger') -%}
    {%- endif -%}
{%- endmacro %}

{#- Makes each source of a schema read its folder of the warehouse; the names of those whose folder holds files. -#}
{% macro open_sources(schema, folder) -%}
    {%- do run_query('create schema if not exists ' ~ schema) -%}
    {%- set opened = [] -%}
    {%- for node in graph.sources.values() if node.schema == schema -%}
        {%- set table = api.Relation.create(database=target.database | default(none), schema=schema, identifier=node.name) -%}
        {%- set own = in_warehouse(folder | replace('{table}', node.name)) -%}
        {%- if open_landed_table(table, own, node.columns.values()) -%}
            {%- do opened.append(node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ return(opened) }}
{%- endmacro %}

{#- A folder of the warehouse as a pattern in SQL, in which it is a name: `wh [2024]` must not read the files of `wh 2`. -#}
{% macro in_warehouse(folder) -%}
    {{ return(adapter.dispatch('in_warehouse')(env_var('MATINEE_WAREHOUSE', '../warehouse') ~ '/' ~ folder)) }}
{%- endmacro %}

{% macro duckdb__in_warehouse(path) -%}
    {{ return(path | replace('[', '[[]') | replace('*', '[*]') | replace('?', '[?]') | replace("'", "''")) }}
{%- endmacro %}

{#-
    Makes `table` read the files of `folder`; without rows, and false, where the folder holds none. Beside its own columns a
    row has `arrival`, the place of its file among those of the table in the order in which they arrived.
-#}
{% macro open_landed_table(table, folder, columns) -%}
    {{ return(adapter.dispatch('open_landed_table')(table, folder, columns)) }}
{%- endmacro %}

{% macro duckdb__open_landed_table(table, folder, columns) -%}
    {%- set files = "'" ~ folder ~ "/*.parquet'" -%}
    {%- set has_landed = run_query('select count(*) from glob(' ~ files ~ ')').columns[0][0] > 0 -%}
    {%- set there = [] -%}
    {%- if has_landed -%}
        {%- set there = run_query('select distinct name from parquet_schema(' ~ files ~ ')').columns[0].values() -%}
    {%- endif -%}
    {#- Files of an earlier Matinee lack columns that came later. -#}
    {%- set missing = [] -%}
    {%- for column in columns if column.name not in there -%}
        {%- do missing.append('cast(null as ' ~ column.data_type ~ ') as ' ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- if has_landed -%}
        {%- set rows = (['*'] + missing) | join(', ') ~ ', cast(file_index as integer) as arrival from read_parquet('
            ~ files ~ ', union_by_name = true)' -%}
    {%- else -%}
        {%- set rows = missing | join(', ') ~ ', cast(0 as integer) as arrival where false' -%}
    {%- endif -%}
    {%- do run_query('create or replace view ' ~ table ~ ' as select ' ~ rows) -%}
    {{ return(has_landed) }}
{%- endmacro %}

{#-
    The day on which a landing table got its newest file. No source in lineage: the manifest is written anew by every run, and
    what it says of a table changes with the files of that table only, which whoever asks reads, too.
-#}
{% macro landed_on(table) -%}
    (select cast(max(landed_at) as date) from landing.manifest where table_name = '{{ table }}')
{%- endmacro %}
