{#- The order of lines that share an id: the one shown first, then by what they say, so that it never depends on the reader. -#}
{% macro first_shown() -%}
    shown_since asc nulls last,
    title asc,
    kind asc,
    countries_text asc nulls last,
    imdb_votes desc nulls last,
    stated_release_date asc nulls last,
    imdb_score desc nulls last
{%- endmacro %}
