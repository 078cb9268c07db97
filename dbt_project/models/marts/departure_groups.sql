with

scores as (

    select * from {{ source('departure', 'departure') }}

),

everybody as (

    select avg({{ summable('score') }}) as base_score
    from scores
    having count(*) > 0

),

segmented as (

    {{ user_members() }}

),

members as (

    select
        segmentation,
        segment_name as group_name,
        user_id
    from segmented
    union all
    select
        'rfm' as segmentation,
        cell as group_name,
        user_id
    from {{ ref('user_rfm') }}

),

final as (

    select
        ---------- ids
        members.segmentation,

        ---------- text
        members.group_name,

        ---------- numbers
        count(*) as members,
        count(scores.score) as scored,
        avg({{ summable('scores.score') }}) as mean_score,
        stddev_samp({{ summable('scores.score') }}) as deviation,
        max(everybody.base_score) as base_score,
        count(case when scores.decile = 1 then 1 end) as top_decile

    from members
    cross join everybody
    left join scores on members.user_id = scores.user_id
    group by members.segmentation, members.group_name

)

select
    segmentation,
    group_name,
    members,
    scored,
    mean_score,
    deviation,
    base_score,
    top_decile
from final
