{#- What marts of the catalogue say of each group of titles: how many, and their mean scores. Belongs in a select list. -#}
{% macro score_aggregates() -%}
        cast(count(*) as bigint) as titles,
        cast(sum(case when titles.has_audience_score then 1 else 0 end) as bigint) as scored_titles,
        cast(avg(titles.audience_score) as double) as audience_score,
        cast(avg(titles.critic_score) as double) as critic_score,
        cast(avg(titles.weighted_score) as double) as weighted_score
{%- endmacro %}
