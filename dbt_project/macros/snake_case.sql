{#-
    A label as a name in columns: `Science Fiction` is science_fiction. Letters of any script stay; a label without a
    letter or a digit gets a name of its own. What is left is safe to paste into SQL.
-#}
{% macro snake_case(label) -%}
    coalesce(
        nullif(trim(regexp_replace(lower(nfc_normalize({{ label }})), '[^\p{L}\p{M}\p{N}]+', '_', 'g'), '_'), ''),
        'label_' || substr(md5({{ label }}), 1, 8)
    )
{%- endmacro %}
