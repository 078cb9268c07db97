{#-
    A label as a name in columns: `Science Fiction` is science_fiction. Letters of any script stay; a label without a
    letter or a digit gets a name of its own. What is left is safe to paste into SQL.
-#}
{% macro snake_case(label) -%}
    {{ return(adapter.dispatch('snake_case')(label)) }}
{%- endmacro %}

{% macro duckdb__snake_case(label) -%}
    coalesce(
        nullif(trim(regexp_replace(lower(nfc_normalize({{ label }})), '[^\p{L}\p{M}\p{N}]+', '_', 'g'), '_'), ''),
        'label_' || substr(md5({{ label }}), 1, 8)
    )
{%- endmacro %}

{#- `nfc_normalize` is a function of ours there (`orchestration.tools.spark`). -#}
{% macro matineespark__snake_case(label) -%}
    {{ duckdb__snake_case(label) }}
{%- endmacro %}
