-- A view: where ratings alone count it reads a table as it lies. `interactions` says which of ratings and views count:
-- by default ratings where there are any, since who rated a title also watched it, else views.
-- depends_on: {{ ref('user_title_ratings') }}, {{ ref('int_views__watched') }}
{{ config(materialized='view') }}
{% set basis = interaction_basis() %}
{% set rows = {
    'ratings': 'rated', 'views': 'watched',
    'both': 'rated full outer join watched using (user_id, title_id) cross join means'
} %}
-- On one scale: an average rating weighs as much as an average view.
{% set weights = {
    'ratings': 'rating', 'views': 'weight',
    'both': 'coalesce(rating / nullif(mean_rating, 0), 0) + coalesce(weight / mean_weight, 0)'
} %}
{% set last_at = {
    'ratings': 'rated_at', 'views': 'last_at', 'both': 'greatest(rated_at, last_at)'
} %}

with

{% if basis != 'views' %}
    rated as (

        select * from {{ ref('user_title_ratings') }}

    ),
{% endif %}

{% if basis != 'ratings' %}
    -- A view watched to its end weighs 1; each further one adds less. Of titles of unknown length the source's long views
    -- (nine of ten are shorter) stand for the whole.
    long_view as (

        select quantile_cont(minutes_watched, 0.9) as minutes
        from {{ ref('int_views__watched') }}

    ),

    watched as (

        select
            views.user_id,
            views.title_id,
            count(*) as views,
            sum({{ summable('views.minutes_watched') }}) as minutes,
            max(coalesce(views.completion, least(views.minutes_watched / long_view.minutes, 1))) * (1 + ln(count(*)))
                as weight,
            max(views.watched_at) as last_at
        from {{ ref('int_views__watched') }} as views
        cross join long_view
        where views.title_id is not null
        group by views.user_id, views.title_id

    ),
{% endif %}

{% if basis == 'both' %}
    means as (

        select
            (select avg({{ summable('rating') }}) from rated) as mean_rating,
            (select avg({{ summable('weight') }}) from watched) as mean_weight

    ),
{% endif %}

final as (

    select
        ---------- ids
        user_id,
        title_id,

        ---------- numbers
        {{ 'cast(null as double)' if basis == 'views' else 'rating' }} as rating,
        {{ 'cast(0 as bigint)' if basis == 'ratings' else 'coalesce(views, 0)' }} as views,
        {{ 'cast(0 as double)' if basis == 'ratings' else 'coalesce(minutes, 0)' }} as minutes,
        {{ weights[basis] }} as weight,

        ---------- times
        cast({{ last_at[basis] }} as timestamp) as last_at

    from {{ rows[basis] }}

)

select * from final
