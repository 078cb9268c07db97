with

members as (

    {{ user_members() }}

),

users as (

    select * from {{ ref('users') }}
    where subscription is not null

),

summed as (

    select
        members.segmentation,
        members.segment_id,
        members.segment_name,
        users.subscription,
        count(*) as users,
        sum(users.minutes) as minutes,
        stddev_samp(users.minutes) as minutes_deviation
    from members
    inner join users on members.user_id = users.user_id
    group by members.segmentation, members.segment_id, members.segment_name, users.subscription

),

final as (

    select
        ---------- ids
        segmentation,
        segment_id,

        ---------- text
        segment_name,
        subscription,

        ---------- numbers
        users,
        users / sum(users) over (partition by segmentation, segment_id) as share,
        minutes / users as mean_minutes,
        minutes_deviation

    from summed

)

select * from final
