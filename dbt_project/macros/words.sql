{#- Numbers and tests of figures that become part of a sentence. -#}

{#- A whole number as people write it: 12,345. -#}
{% macro say_count(number) -%}
    {{ return(adapter.dispatch('say_count')(number)) }}
{%- endmacro %}

{% macro duckdb__say_count(number) -%}
    format('{:,}', cast(round({{ number }}) as bigint))
{%- endmacro %}

{% macro matineespark__say_count(number) -%}
    format_number(cast(round({{ number }}) as bigint), 0)
{%- endmacro %}

{#- A number with so many digits behind the point. -#}
{% macro say_number(number, digits=2) -%}
    cast(cast({{ number }} as decimal(18, {{ digits }})) as varchar)
{%- endmacro %}

{#- A share (0 to 1) in percent; below 10 % with one digit behind the point. -#}
{% macro say_percent(share) -%}
    case
        when {{ share }} < 0.0995 then {{ say_number('100 * (' ~ share ~ ')', 1) }}
        else cast(cast(round(100 * ({{ share }})) as bigint) as varchar)
    end || ' %'
{%- endmacro %}

{#- How one mean of stars stands to another, as the end of a sentence: as much as, more than, less than. -#}
{% macro say_liking(mean, usual_mean) -%}
    case
        when {{ mean }} >= {{ usual_mean }} + {{ var('advice_least_stars') }} then 'more than'
        when {{ mean }} <= {{ usual_mean }} - {{ var('advice_least_stars') }} then 'less than'
        else 'as much as'
    end
{%- endmacro %}

{#- An hour of the day as people write it: 9 gives 09:00; 24 is 00:00 again. -#}
{% macro say_hour(hour) -%}
    lpad(cast(({{ hour }}) % 24 as varchar), 2, '0') || ':00'
{%- endmacro %}

{#- The name of a weekday, 1 for Monday to 7 for Sunday. -#}
{% macro say_weekday(weekday) -%}
    case {{ weekday }}
    {%- for name in ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'] %}
        when {{ loop.index }} then '{{ name }}'
    {%- endfor %}
    end
{%- endmacro %}

{#- Figures (name: SQL expression) as the text of a JSON object. -#}
{% macro figures_as_json(figures) -%}
    {{ return(adapter.dispatch('figures_as_json')(figures)) }}
{%- endmacro %}

{% macro duckdb__figures_as_json(figures) -%}
    {%- set pairs = [] -%}
    {%- for name, expression in figures.items() -%}
        {%- do pairs.append("'" ~ name ~ "', " ~ expression) -%}
    {%- endfor -%}
    cast(json_object({{ pairs | join(', ') }}) as varchar)
{%- endmacro %}

{% macro matineespark__figures_as_json(figures) -%}
    {%- set pairs = [] -%}
    {%- for name, expression in figures.items() -%}
        {%- do pairs.append("'" ~ name ~ "', " ~ expression) -%}
    {%- endfor -%}
    to_json(named_struct({{ pairs | join(', ') }}))
{%- endmacro %}

{#-
    Standard errors between a share and the one it is compared with, as if the second were known exactly. Give the number
    of people, not of their ratings or events: those of one person are alike, and would make any difference seem certain.
-#}
{% macro z_of_share(share, base_share, people) -%}
    ({{ share }} - {{ base_share }}) / nullif(sqrt({{ base_share }} * (1 - {{ base_share }}) / nullif({{ people }}, 0)), 0)
{%- endmacro %}

{#- The same for a mean, with the standard deviation among the people. -#}
{% macro z_of_mean(mean, base_mean, deviation, people) -%}
    ({{ mean }} - {{ base_mean }}) / nullif({{ deviation }} / sqrt(nullif({{ people }}, 0)), 0)
{%- endmacro %}
