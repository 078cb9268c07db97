{#- The way a rating finds its title, checked: a misspelt value must not fall back to a join nobody asked for. -#}
{% macro rating_join() -%}
    {%- set chosen = var('rating_join') -%}
    {%- if chosen not in ['links', 'direct'] -%}
        {{ exceptions.raise_compiler_error(
            "rating_join is '" ~ chosen ~ "'; it must be 'links' (through links.csv) or 'direct' "
            ~ "(movie id taken for title id, for replication only)."
        ) }}
    {%- endif -%}
    {{ return(chosen) }}
{%- endmacro %}
