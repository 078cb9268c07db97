{#-
    Orders rows as time, place and value do, in this order, as one whole number; no time is before any. Good for times from
    1970 to 2500 and back as far, places below 65,536, and values below 8 million, which differ by a multiple of 2^-28.
-#}
{% macro precedence(moment, place, value) -%}
    {{ return(adapter.dispatch('precedence')(moment, place, value)) }}
{%- endmacro %}

{% macro duckdb__precedence(moment, place, value) -%}
    (
        cast(greatest(coalesce(epoch_us({{ moment }}), -18014398509481984), -18014398509481984) as hugeint) * 65536
        + {{ place }}
    ) * 4503599627370496 + cast(round({{ value }} * 268435456) as bigint)
{%- endmacro %}
