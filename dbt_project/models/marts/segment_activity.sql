with

members as (

    {{ user_members() }}

),

users as (

    select * from {{ ref('users') }}

),

summed as (

    select
        members.segmentation,
        members.segment_id,
        members.segment_name,
        count(*) as members,
        sum(users.total_ratings) as ratings,
        avg(users.mean_rating) as mean_rating,
        stddev_samp(users.mean_rating) as rating_deviation,
        sum(case when users.events > 0 then 1 else 0 end) as viewers,
        sum(users.events) as events,
        sum(users.minutes) as minutes
    from members
    inner join users on members.user_id = users.user_id
    group by members.segmentation, members.segment_id, members.segment_name

),

final as (

    select
        ---------- ids
        segmentation,
        segment_id,

        ---------- text
        segment_name,

        ---------- numbers
        members,
        members / sum(members) over (partition by segmentation) as member_share,
        cast(ratings as bigint) as ratings,
        ratings / nullif(sum(ratings) over (partition by segmentation), 0) as rating_share,
        mean_rating,
        rating_deviation,
        cast(viewers as bigint) as viewers,
        cast(events as bigint) as events,
        minutes,
        minutes / nullif(sum(minutes) over (partition by segmentation), 0) as minute_share

    from summed

)

select * from final
