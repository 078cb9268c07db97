{#-
    Orders rows as time, arrival, place and value do, in this order, as one whole number; no time is before any. Tells apart
    times of 1828 to 2112, arrivals up to 65,535, places up to 63, and values of less than 8 million that differ by a multiple
    of 2^-28; what lies beyond counts as the end of its range.
-#}
{% macro precedence(moment, arrival, place, value) -%}
    {{ return(adapter.dispatch('precedence')(moment, arrival, place, value)) }}
{%- endmacro %}

{% macro duckdb__precedence(moment, arrival, place, value) -%}
    (
        cast(
            least(greatest(coalesce(epoch_us({{ moment }}), -4503599627370496), -4503599627370496), 4503599627370495)
            as hugeint
        ) * 4194304 + least({{ arrival }}, 65535) * 64 + least({{ place }}, 63)
    ) * 4503599627370496 + cast(round(least(greatest({{ value }}, -8388608), 8388607) * 268435456) as bigint)
{%- endmacro %}

{#- There a struct is compared field by field, and cheaper than so long a number. -#}
{% macro matineespark__precedence(moment, arrival, place, value) -%}
    struct(coalesce({{ moment }}, timestamp '1828-01-01 00:00:00'), {{ arrival }}, {{ place }}, {{ value }})
{%- endmacro %}
