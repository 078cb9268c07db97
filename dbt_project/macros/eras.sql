{#- When titles came out, by the names that columns have: first and last year of each era. -#}
{% macro eras() -%}
    {{ return({
        'before_1970': (0, 1969), '1970s': (1970, 1979), '1980s': (1980, 1989), '1990s': (1990, 1999),
        '2000s': (2000, 2009), '2010s': (2010, 2019), 'since_2020': (2020, 9999)
    }) }}
{%- endmacro %}
