{#-
    Orders rows as time, place and value do, in this order, as one whole number; no time is before any. Tells apart times of
    1399 to 2540, places up to 65,535, and values of less than 8 million that differ by a multiple of 2^-28; what lies beyond
    counts as the end of its range.
-#}
{% macro precedence(moment, place, value) -%}
    {{ return(adapter.dispatch('precedence')(moment, place, value)) }}
{%- endmacro %}

{% macro duckdb__precedence(moment, place, value) -%}
    (
        cast(
            least(greatest(coalesce(epoch_us({{ moment }}), -18014398509481984), -18014398509481984), 18014398509481983)
            as hugeint
        ) * 65536 + least({{ place }}, 65535)
    ) * 4503599627370496 + cast(round(least(greatest({{ value }}, -8388608), 8388607) * 268435456) as bigint)
{%- endmacro %}
