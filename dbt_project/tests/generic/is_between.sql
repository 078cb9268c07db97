{#- Fails on each value below `least` or above `most`; either bound may be left out, NULL passes. -#}
{% test is_between(model, column_name, least=none, most=none) %}
select {{ column_name }}
from {{ model }}
where
    false
    {%- if least is not none %}
    or {{ column_name }} < {{ least }}
    {%- endif %}
    {%- if most is not none %}
    or {{ column_name }} > {{ most }}
    {%- endif %}
{% endtest %}
