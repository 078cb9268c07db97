{#-
    The four numbers that cut recency, frequency or value into five scores, as SQL over the rows that are scored: those of
    the var `rfm_cuts`, else the quintiles. Own ones are checked here, so that a wrong list is told before anything is built.
-#}
{% macro rfm_cuts(column) -%}
    {%- set known = ['recency_days', 'frequency', 'value'] -%}
    {%- set declared = var('rfm_cuts') or {} -%}
    {%- for name in declared if name not in known -%}
        {{ exceptions.raise_compiler_error("rfm_cuts names '" ~ name ~ "'; it may name " ~ known | join(', ') ~ '.') }}
    {%- endfor -%}
    {%- set cuts = declared.get(column) or [] -%}
    {%- if cuts and (
        cuts | length != 4 or cuts | reject('number') | list or cuts | sort | unique | list != cuts
    ) -%}
        {{ exceptions.raise_compiler_error(
            'rfm_cuts of ' ~ column ~ ' are ' ~ cuts ~ '; they must be four numbers, each above the one before, '
            ~ 'or an empty list for the quintiles of all users.'
        ) }}
    {%- endif -%}
    {%- for place in range(4) -%}
        {{ 'max(' ~ cuts[place] ~ ')' if cuts else 'quantile_cont(' ~ column ~ ', ' ~ (place + 1) / 5 ~ ')' }}
        {{- ' as ' ~ column ~ '_' ~ (place + 1) }}
        {{- ', ' if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{#- The score of a value, 1 to 5: one more than the cuts that it is `beyond`, so equal values get equal scores. -#}
{% macro rfm_score(column, beyond) -%}
    cast(1
    {%- for place in range(1, 5) %} + case when {{ column }} {{ beyond }} cuts.{{ column }}_{{ place }} then 1 else 0 end
    {%- endfor %} as integer)
{%- endmacro %}
