{#- Middle and half of the width of Wilson's interval (1927) of a share of n, `z` standard errors to either side. -#}
{% macro wilson_middle(share, n, z) -%}
    ({{ share }} + {{ z * z }} / (2 * {{ n }})) / (1 + {{ z * z }} / {{ n }})
{%- endmacro %}

{% macro wilson_half_width(share, n, z) -%}
    {{ z }} * sqrt({{ share }} * (1 - {{ share }}) / {{ n }} + {{ z * z }} / (4 * {{ n }} * {{ n }})) / (1 + {{ z * z }} / {{ n }})
{%- endmacro %}
