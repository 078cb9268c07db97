{#-
    Tables of ratings that grow: a night takes the users in whom something changed out and puts them in again as they are,
    instead of building everybody anew. Such a model is `incremental` with the strategy `changed_users`; the macro `grows`
    says what its rows are made of:

    - `rows`, the table that names whom a row of ratings or of titles concerns: of the ratings that arrived last
      (`stg_movies__ratings`), or a table that grows itself, which leaves its changes in `state.changed_users`;
    - `titles`, a small table of what it takes from titles, and `key`, the column of `rows` that leads there. A copy of it is
      kept, so that what differs from it today changes those who chose these titles, and nobody else;
    - `columns`, macros whose answers decide which columns it has: with another answer it is built anew;
    - `basis`, what has to count as interest in a title (`interaction_basis`) for it to be made of these rows alone.

    What a table is made of is written down in `state.built` by the transaction that builds it; on Spark, which has none, it
    stands in the table's own properties. It is built anew by another text of the project, by hand (`dbt build` has no text to
    compare), where a file of ratings it holds is gone, with `--full-refresh`, and where so many users changed that it costs no
    more.
-#}

{#- What a model says of itself that grows; see above. -#}
{% macro grows(rows, titles, key, columns=[], basis=none) -%}
    {{ config(
        materialized='incremental',
        incremental_strategy='changed_users',
        on_schema_change='fail',
        post_hook='{{ remember_growth() }}',
        meta={'grows': {'rows': rows, 'titles': titles, 'key': key, 'columns': columns, 'basis': basis}}
    ) }}
{%- endmacro %}

{#- Before the first model of a run: the account of what the tables that grow are made of. -#}
{% macro open_state() -%}
    {%- if execute and target.type != 'duckdb' -%}
        {%- do run_query('create schema if not exists state') -%}
    {%- elif execute -%}
        {%- for statement in [
            'create schema if not exists state',
            'create table if not exists state.built '
            ~ '(model varchar, code varchar, version integer, whole_since integer, files varchar[])',
            'create table if not exists state.changed_users (version integer, user_id bigint)',
        ] -%}
            {%- do run_query(statement) -%}
        {%- endfor -%}
        {%- if not env_var('MATINEE_SQL_HASH', '') -%}
            {#- By hand: what Matinee remembers of nodes it built is no longer what lies there. -#}
            {%- do run_query('drop table if exists state.nodes') -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}

{#- Whether the model takes in changes now; where not, as in a unit test, it is built from all there is. -#}
{% macro is_growing() -%}
    {{ return(model.resource_type == 'model' and is_incremental() and growth() is not none) }}
{%- endmacro %}

{#- Of a model that is growing, the condition of the users whom it puts in again; belongs behind `where`. -#}
{% macro is_changing(user_id) -%}
    {{ user_id }} in (select changing.user_id from {{ changing_users() }} as changing)
{%- endmacro %}

{#- dbt's own macro, for the tables that grow. -#}
{% macro should_full_refresh() -%}
    {%- if execute and config.get('materialized') == 'incremental' and (config.get('meta') or {}).grows -%}
        {{ return(flags.FULL_REFRESH or growth() is none) }}
    {%- endif -%}
    {{ return(dbt.should_full_refresh()) }}
{%- endmacro %}

{#- The strategy `changed_users`. Who has no rows any more is in nothing that could be merged. -#}
{% macro get_incremental_changed_users_sql(arguments) -%}
    {%- set columns = get_quoted_csv(arguments['dest_columns'] | map(attribute='name')) -%}
    delete from {{ arguments['target_relation'] }} where {{ is_changing('user_id') }};
    insert into {{ arguments['target_relation'] }} ({{ columns }})
    select {{ columns }} from {{ arguments['temp_relation'] }}
{%- endmacro %}

{#- After the model and in its transaction: what it is made of now. -#}
{% macro remember_growth() -%}
    {%- if not execute -%}
        {{ return('') }}
    {%- endif -%}
    {{ return(adapter.dispatch('remember_growth')()) }}
{%- endmacro %}

{% macro duckdb__remember_growth() -%}
    {%- set grows = model.config.meta.grows -%}
    {%- set before = growth() -%}
    {%- set titles = ref(grows.titles) -%}
    {%- if is_first_to_grow() -%}
        {%- set version = last_version() + 1 -%}
        {%- set whole_since = [before.whole_since, version - 50] | max if before else version -%}
        {%- if before %}
            insert into state.changed_users
            select {{ version }}, changing.user_id from {{ changing_users() }} as changing;
        {%- endif %}
        delete from state.changed_users where version <= {{ whole_since }};
    {%- else -%}
        {%- set version, whole_since = last_version(), 0 -%}
    {%- endif %}
    create or replace table {{ kept_titles() }} as select * from {{ titles }};
    delete from state.built where model = '{{ model.name }}';
    insert into state.built values (
        '{{ model.name }}', '{{ growing_code() }}', {{ version }}, {{ whole_since }}, {{ landed_ratings() }}
    );
    drop table if exists {{ changing_users() }}
{%- endmacro %}

{#- What the table held before, or nothing where it cannot grow. Asked once for a model: building it changes the answer. -#}
{% macro growth() -%}
    {%- if not execute or flags.FULL_REFRESH or not env_var('MATINEE_SQL_HASH', '') -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set known = graph.setdefault('growth', {}) -%}
    {%- set asked = invocation_id ~ model.name -%}
    {%- if asked not in known -%}
        {%- do known.update({asked: find_growth()}) -%}
    {%- endif -%}
    {{ return(known[asked]) }}
{%- endmacro %}

{% macro find_growth() -%}
    {%- set grows = model.config.meta.grows -%}
    {%- if grows.basis and interaction_basis() != grows.basis -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set before = adapter.dispatch('find_built')() -%}
    {%- if not before or not load_relation(this) or not load_relation(kept_titles()) -%}
        {{ return(none) }}
    {%- endif -%}
    {%- if is_first_to_grow() -%}
        {#- The landing and not what stages it: that leaves deletions out. -#}
        {%- set arrived = 'select user_id from landing.ratings where arrival >= ' ~ before.files -%}
        {%- set can_grow = before.still_there -%}
    {%- else -%}
        {%- set arrived = adapter.dispatch('changed_since')(before) -%}
        {%- set can_grow = arrived is not none -%}
    {%- endif -%}
    {%- if not can_grow -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set titles, kept = ref(grows.titles), kept_titles() -%}
    {%- do adapter.dispatch('keep_rows')(
        changing_users(), arrived ~ ' union select user_id from ' ~ ref(grows.rows)
        ~ ' where ' ~ grows.key ~ ' in (select ' ~ grows.key ~ ' from ('
        ~ '(from ' ~ titles ~ ' except from ' ~ kept ~ ') union all (from ' ~ kept ~ ' except from ' ~ titles ~ ')))'
    ) -%}
    {%- set are_few = run_query(
        'select (select count(*) from ' ~ changing_users() ~ ') <= 0.3 * (select approx_count_distinct(user_id) from '
        ~ this ~ ')'
    ).columns[0][0] -%}
    {{ return(before if are_few else none) }}
{%- endmacro %}

{#- What the account says of the table, where the same text built it. -#}
{% macro duckdb__find_built() -%}
    {{ return(run_query(
        "select version, whole_since, len(files) as files, files = " ~ landed_ratings() ~ "[:len(files)] as still_there "
        ~ "from state.built where model = '" ~ model.name ~ "' and code = '" ~ growing_code() ~ "'"
    ).rows | first) }}
{%- endmacro %}

{#- Who changed in the table that this one reads since it was built; none where that one was built anew. -#}
{% macro duckdb__changed_since(before) -%}
    {%- set whole_since = run_query(
        "select max(whole_since) from state.built where model = '" ~ model.config.meta.grows.rows ~ "'"
    ).columns[0][0] -%}
    {%- if before.version >= whole_since -%}
        {{ return('select user_id from state.changed_users where version > ' ~ before.version) }}
    {%- endif -%}
    {{ return(none) }}
{%- endmacro %}

{% macro duckdb__keep_rows(table, query) -%}
    {%- do run_query('create or replace table ' ~ table ~ ' as ' ~ query) -%}
{%- endmacro %}

{#- Whether ratings arrive at this table, and not at one that it is made of. -#}
{% macro is_first_to_grow() -%}
    {{ return(model.config.meta.grows.rows == 'stg_movies__ratings') }}
{%- endmacro %}

{#- The version of the ratings that are built: a number that grows with each build of the table at which they arrive. -#}
{% macro last_version() -%}
    {{ return(adapter.dispatch('last_version')()) }}
{%- endmacro %}

{% macro duckdb__last_version() -%}
    {{ return(run_query('select coalesce(max(version), 0) from state.built').columns[0][0] | int) }}
{%- endmacro %}

{#- What has to be equal for a table to grow, as one word. -#}
{% macro growing_code() -%}
    {%- set said = [env_var('MATINEE_SQL_HASH', ''), rating_join()] -%}
    {%- for name in model.config.meta.grows.columns -%}
        {%- do said.append(context[name]() | string) -%}
    {%- endfor -%}
    {{ return(local_md5(said | join(' '))) }}
{%- endmacro %}

{#-
    The files of ratings in the order in which they arrived, as a list in SQL: each with the time when it landed, for one with
    times of the future lands again under its name when these have come.
-#}
{% macro landed_ratings() -%}
    {{ return(adapter.dispatch('landed_ratings')()) }}
{%- endmacro %}

{% macro duckdb__landed_ratings() -%}
    {{ return(
        "(select coalesce(list(key || coalesce(' ' || landed.landed_at, '') order by file), []) from (select file, "
        ~ "split_part(file, '-', -1) as key from glob('" ~ in_warehouse('landing/candidate') ~ "/ratings/*.parquet')) "
        ~ "left join (select left(sha256, 16) as content, max(landed_at) as landed_at from landing.manifest "
        ~ "where table_name = 'ratings' group by content) as landed on left(key, 16) = landed.content)"
    ) }}
{%- endmacro %}

{% macro changing_users() -%}
    {%- set table = api.Relation.create(schema='state', identifier='changing_of_' ~ model.name) -%}
    {{ return(table.quote(schema=false, identifier=false)) }}
{%- endmacro %}

{% macro kept_titles() -%}
    {{ return(api.Relation.create(
        database=target.database | default(none), schema='state', identifier='titles_of_' ~ model.name
    )) }}
{%- endmacro %}
