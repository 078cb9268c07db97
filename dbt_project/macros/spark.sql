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

{#-
    A table that grows (`macros/growing.sql`): the rows of users in whom nothing changed, and the new ones, are written beside it,
    for files that are read cannot be replaced, and take its name. What it is made of stands in its properties, which come
    and go with it; the titles that it was made with go before it and come after it. So a build that is killed leaves a table
    that is whole, or one that is built anew.
-#}
{% materialization incremental, adapter='matineespark', supported_languages=['sql'] %}
    {%- set target = this.incorporate(type='table') -%}
    {%- set next = target.incorporate(path={'identifier': this.identifier ~ '__next'}) -%}
    {%- set before = growth() if is_incremental() else none -%}
    {%- set made = next if before else target -%}
    {%- set rows, files = compiled_code, landed_ratings() -%}
    {{ run_hooks(pre_hooks) }}
    {%- do remove_table(kept_titles()) -%}
    {%- do remove_table(next) -%}
    {%- if before -%}
        {%- set columns = get_quoted_csv(adapter.get_columns_in_relation(this) | map(attribute='name')) -%}
        {%- set rows = 'select ' ~ columns ~ ' from ' ~ this ~ ' as old where not exists (select 1 from ' ~ changing_users()
            ~ ' as changing where changing.user_id = old.user_id) union all select ' ~ columns ~ ' from (' ~ compiled_code
            ~ ') as new' -%}
    {%- else -%}
        {%- do remove_table(target) -%}
    {%- endif -%}
    {% call statement('main') -%}
        {{ create_table_as(False, made, rows) }}
    {%- endcall %}
    {%- do hold_constraints(made) -%}
    {%- set made_of = tojson({
        'code': growing_code(), 'version': invocation_id, 'grew_from': before.version if before else none,
        'files': files | length, 'which': local_md5(files | join(' '))
    }) -%}
    {%- do run_query('alter table ' ~ made ~ " set tblproperties ('made_of' = " ~ spark_text(made_of) ~ ')') -%}
    {%- if before -%}
        {%- do remove_table(target) -%}
        {%- do adapter.rename_relation(next, target) -%}
    {%- endif -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [target]}) }}
{% endmaterialization %}

{#- With its files, which a build that was killed as it dropped the table may have left. -#}
{% macro remove_table(table) -%}
    {%- do adapter.drop_relation(table.incorporate(type='table')) -%}
    {%- do adapter.clear_location(table) -%}
{%- endmacro %}

{% macro matineespark__keep_rows(table, query) -%}
    {%- do remove_table(table) -%}
    {%- do run_query('create table ' ~ table ~ ' using parquet as ' ~ adapter.to_spark(query)) -%}
{%- endmacro %}

{#- What its properties say a table is made of; none where it is not there with its files. -#}
{% macro built_of(table) -%}
    {%- if load_relation(table) and adapter.is_whole(table) -%}
        {%- for row in run_query('show tblproperties ' ~ table).rows if row[0] == 'made_of' -%}
            {{ return(fromjson(row[1])) }}
        {%- endfor -%}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{% macro matineespark__find_built() -%}
    {%- set built = built_of(this) -%}
    {%- if not built or built.code != growing_code() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- do built.update({'still_there': built.which == local_md5(landed_ratings()[:built.files] | join(' '))}) -%}
    {{ return(built) }}
{%- endmacro %}

{#- The last changes alone are kept: a table that missed more than one build is built anew. -#}
{% macro matineespark__changed_since(before) -%}
    {%- set rows = ref(model.config.meta.grows.rows) -%}
    {%- set built = built_of(rows) or {} -%}
    {%- if before.version == built.version -%}
        {{ return('select user_id from ' ~ rows ~ ' where false') }}
    {%- elif before.version == built.grew_from -%}
        {{ return('select user_id from state.changing_of_' ~ rows.identifier) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{% macro matineespark__last_version() -%}
    {{ return((built_of(ref('int_ratings__last')) or {}).version) }}
{%- endmacro %}

{% macro matineespark__remember_growth() -%}
    {%- do matineespark__keep_rows(kept_titles(), 'select * from ' ~ ref(model.config.meta.grows.titles)) -%}
    {{ return('') }}
{%- endmacro %}

{#- In the order in which they arrived. -#}
{% macro matineespark__landed_ratings() -%}
    {{ return(adapter.landed_files(in_warehouse('landing/candidate/ratings')).written) }}
{%- endmacro %}

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
