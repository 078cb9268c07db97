{#-
    A number as it is summed or averaged: a multiple of 2^-28, of which a DOUBLE adds up 30 million without a rounding.
    Otherwise the order in which threads add decides the last digits, and the same data trains other models every night.
-#}
{% macro summable(number) -%}
    round(({{ number }}) * 268435456) / 268435456
{%- endmacro %}
