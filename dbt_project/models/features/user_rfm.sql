-- Everybody who ever watched or rated. Value is what the source can tell of it: minutes where there are views, else
-- ratings.
{% set window = var('rfm_window_days') %}

with

days as (

    select * from {{ ref('int_users__active_days') }}

),

newest as (

    select
        max(active_on) as active_on,
        sum(views) > 0 as has_views
    from days

),

placed as (

    select
        days.*,
        newest.has_views,
        {{ dbt.datediff('days.active_on', 'newest.active_on', 'day') }}
            as days_ago
    from days
    cross join newest

),

summed as (

    select
        user_id,
        cast(min(days_ago) as bigint) as recency_days,
        count(case when days_ago < {{ window }} then 1 end) as frequency,
        cast(sum(
            case
                when days_ago >= {{ window }} then 0
                when has_views then minutes
                else ratings
            end
        ) as double) as value,
        case when max(has_views) then 'minutes' else 'ratings' end as value_unit
    from placed
    group by user_id

),

cuts as (

    select
        {{ rfm_cuts('recency_days') }},
        {{ rfm_cuts('frequency') }},
        {{ rfm_cuts('value') }}
    from summed

),

scored as (

    select
        summed.*,
        {{ rfm_score('recency_days', '<=') }} as r,
        {{ rfm_score('frequency', '>') }} as f,
        {{ rfm_score('value', '>') }} as m
    from summed
    cross join cuts

),

final as (

    select
        ---------- ids
        user_id,

        ---------- text
        value_unit,
        case
            when r >= 4 and f + m >= 8 then 'Champions'
            when r >= 3 and f + m >= 6 then 'Loyal'
            when r >= 4 then 'Recent'
            when r = 3 then 'Needs Attention'
            when f + m >= 6 then 'At Risk'
            else 'Hibernating'
        end as cell,

        ---------- numbers
        recency_days,
        frequency,
        value,
        r,
        f,
        m

    from scored

)

select
    user_id,
    recency_days,
    frequency,
    value,
    value_unit,
    r,
    f,
    m,
    cell
from final
