{% set advice = [
    'advice_segment_genres', 'advice_segment_devices', 'advice_viewing_time', 'advice_hidden_genres',
    'advice_catalogue', 'advice_activity', 'advice_upgrades', 'advice_devices', 'advice_customers',
    'advice_segment_titles', 'advice_recommender'
] %}
-- A topic says three things at most: one that speaks of every segment would leave no room for the others.
{% set most_per_topic = 3 %}

with

advice as (

    {% for model in advice %}
        select
            topic,
            sentence,
            figures,
            source,
            ratio
        from {{ ref(model) }}
        {{ "union all" if not loop.last }}
    {% endfor %}

),

placed as (

    select
        *,
        row_number() over (partition by topic order by ratio desc nulls last, sentence asc) as place_in_topic
    from advice

),

final as (

    select
        ---------- ids
        cast(row_number() over (order by place_in_topic asc, ratio desc nulls last, topic asc) as integer) as rank,

        ---------- text
        topic,
        sentence,
        figures,
        source

    from placed
    where place_in_topic <= {{ most_per_topic }}

)

select * from final
