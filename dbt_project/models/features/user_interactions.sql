-- noqa: disable=LT02,LT05,RF04,ST03
-- A view: recommenders read the 26 M rows once, and once is cheaper than writing them. `interactions` says which of
-- ratings and views count; by default ratings where there are any, since who rated a title also watched it, else views.
{{ config(materialized='view') }}
{% set basis = interaction_basis() %}

with

rated as (

    select * from {{ ref('user_title_ratings') }}

),

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
        sum(views.minutes_watched) as minutes,
        max(coalesce(views.completion, least(views.minutes_watched / long_view.minutes, 1))) * (1 + ln(count(*))) as weight,
        max(views.watched_at) as last_at
    from {{ ref('int_views__watched') }} as views
    cross join long_view
    where views.title_id is not null
    group by views.user_id, views.title_id

),

{% if basis == 'both' -%}
-- On one scale: an average rating weighs as much as an average view.
means as (

    select
        (select avg(rating) from rated) as rating,
        (select avg(weight) from watched) as weight

),

final as (

    select
        ---------- ids
        coalesce(rated.user_id, watched.user_id) as user_id,
        coalesce(rated.title_id, watched.title_id) as title_id,

        ---------- numbers
        rated.rating,
        coalesce(watched.views, 0) as views,
        coalesce(watched.minutes, 0) as minutes,
        coalesce(rated.rating / means.rating, 0) + coalesce(watched.weight / means.weight, 0) as weight,

        ---------- times
        greatest(rated.rated_at, watched.last_at) as last_at

    from rated
    full outer join watched on rated.user_id = watched.user_id and rated.title_id = watched.title_id
    cross join means

)
{%- elif basis == 'views' -%}
final as (

    select
        ---------- ids
        user_id,
        title_id,

        ---------- numbers
        cast(null as double) as rating,
        views,
        minutes,
        weight,

        ---------- times
        cast(last_at as timestamp) as last_at

    from watched

)
{%- else -%}
final as (

    select
        ---------- ids
        user_id,
        title_id,

        ---------- numbers
        rating,
        cast(0 as bigint) as views,
        cast(0 as double) as minutes,
        rating as weight,

        ---------- times
        rated_at as last_at

    from rated

)
{%- endif %}

select * from final
