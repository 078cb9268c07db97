{#-
    What dbt does otherwise on Spark (target `spark`), where the project's queries are DuckDB's still: the adapter translates
    them, and whoever puts a model's query into a statement of Spark's asks it to (`adapter.to_spark`).
-#}

{#- A table of Parquet files; what its contract says of columns, no constraint of Spark's would hold. -#}
{% macro matineespark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(compiled_code) }}
        {%- set compiled_code = get_select_subquery(compiled_code) -%}
    {%- endif -%}
    create table {{ relation }} using parquet as
    {{ adapter.to_spark(compiled_code) }}
{%- endmacro %}

{% macro matineespark__create_view_as(relation, sql) -%}
    create or replace view {{ relation }} as
    {{ adapter.to_spark(sql) }}
{%- endmacro %}

{#- dbt's materialization `table`, with the constraints of the contract held to the rows that were written. -#}
{% materialization table, adapter='matineespark', supported_languages=['sql'] %}
    {%- set target = this.incorporate(type='table') -%}
    {{ run_hooks(pre_hooks) }}
    {%- do drop_relation_if_exists(load_cached_relation(this)) -%}
    {%- do adapter.clear_location(target) -%}
    {% call statement('main') -%}
        {{ create_table_as(False, target, compiled_code) }}
    {%- endcall %}
    {%- do hold_constraints(target) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- Stops where a row of the table breaks a constraint of the model's columns, naming the constraint. -#}
{% macro hold_constraints(table) -%}
    {%- set rules = [] -%}
    {%- for column in model.columns.values() -%}
        {%- for constraint in column.constraints -%}
            {%- do rules.append(
                adapter.quote(column.name) ~ ' is not null' if constraint.type == 'not_null' else constraint.expression
            ) -%}
        {%- endfor -%}
    {%- endfor -%}
    {%- if rules -%}
        {%- set counts = [] -%}
        {%- for rule in rules -%}
            {%- do counts.append('count(*) filter (not (' ~ rule ~ ')) as rule_' ~ loop.index) -%}
        {%- endfor -%}
        {%- set broken = run_query('select ' ~ counts | join(', ') ~ ' from ' ~ table).rows[0] -%}
        {%- for rule in rules -%}
            {%- if broken[loop.index0] -%}
                {{ exceptions.raise_database_error(
                    'Constraint Error: ' ~ broken[loop.index0] ~ ' rows of ' ~ table ~ ' break: ' ~ rule
                ) }}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}

{#- The place itself, which `spark_text` makes a text of Spark's: there, two quotes are two texts. -#}
{% macro matineespark__in_warehouse(path) -%}
    {{ return(path) }}
{%- endmacro %}

{% macro spark_text(text) -%}
    {{ return("'" ~ (text | replace("\\", "\\\\") | replace("'", "\\'")) ~ "'") }}
{%- endmacro %}

{#- The number of an arrival is looked up by the name of the file. -#}
{% macro matineespark__open_landed_table(table, folder, columns) -%}
    {%- set landed = adapter.landed_files(folder) -%}
    {%- set rows = [] -%}
    {%- for column in columns if column.name not in landed.columns -%}
        {%- do rows.append('cast(null as ' ~ column.data_type ~ ') as ' ~ adapter.quote(column.name)) -%}
    {%- endfor -%}
    {%- if not landed.files -%}
        {%- do run_query('create or replace view ' ~ table ~ ' as ' ~ adapter.to_spark(
            'select ' ~ rows | join(', ') ~ ', cast(0 as integer) as arrival where false'
        )) -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set files = api.Relation.create(schema=table.schema, identifier=table.identifier ~ '__files') -%}
    {%- do run_query('drop table if exists ' ~ files) -%}
    {%- do run_query(
        'create table ' ~ files ~ " using parquet options (path " ~ spark_text(folder) ~ ", mergeSchema 'true')"
    ) -%}
    {%- do run_query('create or replace view ' ~ table ~ ' as ' ~ adapter.to_spark(
        'select ' ~ (['landed.*'] + rows) | join(', ') ~ ", cast(array_position(['" ~ landed.files | join("', '")
        ~ "'], landed._metadata.file_name) - 1 as integer) as arrival from " ~ files ~ ' as landed'
    )) -%}
    {{ return(true) }}
{%- endmacro %}

{#- As DuckDB has it: dbt-spark's own leaves the order out. -#}
{% macro matineespark__listagg(measure, delimiter_text, order_by_clause, limit_num) -%}
    string_agg({{ measure }}, {{ delimiter_text }} {{ order_by_clause or '' }})
{%- endmacro %}

{% macro matineespark__create_csv_table(model, agate_table) -%}
    {%- do adapter.clear_location(this) -%}
    {{ return(spark__create_csv_table(model, agate_table)) }}
{%- endmacro %}

{#- Rows of a seed as texts that are cast: dbt-spark's own puts values into the statement without their quotes doubled. -#}
{% macro matineespark__load_csv_rows(model, agate_table) -%}
    {%- set types = model.config.column_types -%}
    {%- set rows = [] -%}
    {%- for row in agate_table.rows -%}
        {%- set cells = [] -%}
        {%- for column in agate_table.column_names -%}
            {%- set type = types.get(column, adapter.convert_type(agate_table, loop.index0)) -%}
            {%- set value = row[loop.index0] -%}
            {%- set text = 'null' if value is none else "'" ~ (value | string | replace("'", "''")) ~ "'" -%}
            {%- do cells.append('cast(' ~ text ~ ' as ' ~ type ~ ')') -%}
        {%- endfor -%}
        {%- do rows.append('(' ~ cells | join(', ') ~ ')') -%}
    {%- endfor -%}
    {%- set sql = 'insert into ' ~ this ~ ' ' ~ adapter.to_spark('values ' ~ rows | join(', ')) -%}
    {%- do run_query(sql) -%}
    {{ return(sql) }}
{%- endmacro %}

{#- Days from one date to another; Spark's own counts whole periods of 24 hours. -#}
{% macro matineespark__datediff(first_date, second_date, datepart) -%}
    date_diff('{{ datepart }}', cast({{ first_date }} as date), cast({{ second_date }} as date))
{%- endmacro %}
