-- Fails too when the features were rebuilt and the segmentations were not: their members are then other users.
with

segmentations as (

    select distinct
        segmentation,
        features
    from {{ source('ml', 'segments') }}
    where entity = 'user_id'

),

expected as (

    {% for table in ['user_genre_stats', 'user_viewing'] %}
        select
            segmentations.segmentation,
            users.user_id
        from segmentations
        cross join {{ ref(table) }} as users
        where segmentations.features = 'features.{{ table }}'
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

members as (

    select
        segmentation,
        user_id,
        count(*) as segments
    from ({{ user_members() }}) as everybody
    where segmentation in (select expected.segmentation from expected)
    group by segmentation, user_id

)

select
    coalesce(expected.segmentation, members.segmentation) as segmentation,
    coalesce(expected.user_id, members.user_id) as user_id,
    members.segments
from expected
full outer join members
    on
        expected.segmentation = members.segmentation
        and expected.user_id = members.user_id
where
    expected.user_id is null
    or members.user_id is null
    or members.segments <> 1
