-- Which subscription is the highest is not in its name: it is the one whose users watch most.
with

segments as (

    select * from {{ ref('segment_subscriptions') }}

),

subscriptions as (

    select
        segmentation,
        subscription,
        sum(users) as users,
        sum(users * mean_minutes) / sum(users) as mean_minutes
    from segments
    group by segmentation, subscription
    having sum(users) >= {{ var('advice_least_people') }}

),

highest as (

    select
        segmentation,
        subscription,
        mean_minutes,
        row_number() over (partition by segmentation order by mean_minutes desc, subscription asc) as place
    from subscriptions

),

lower as (

    select
        segments.segmentation,
        segments.segment_id,
        segments.segment_name,
        highest.subscription,
        highest.mean_minutes as highest_minutes,
        sum(segments.users) as users,
        sum(segments.share) as share,
        sum(segments.users * segments.mean_minutes) / sum(segments.users) as mean_minutes,
        sum(
            (segments.users - 1) * coalesce(segments.minutes_deviation, 0) * coalesce(segments.minutes_deviation, 0)
            + segments.users * segments.mean_minutes * segments.mean_minutes
        ) as squares
    from segments
    inner join highest
        on
            segments.segmentation = highest.segmentation
            and highest.place = 1
            and segments.subscription <> highest.subscription
    group by
        segments.segmentation, segments.segment_id, segments.segment_name, highest.subscription, highest.mean_minutes

),

spread as (

    select
        *,
        mean_minutes / nullif(highest_minutes, 0) as ratio,
        sqrt(greatest(squares - users * mean_minutes * mean_minutes, 0) / nullif(users - 1, 0)) as deviation
    from lower
    where users >= {{ var('advice_least_people') }}

),

judged as (

    select
        *,
        {{ z_of_mean('mean_minutes', 'highest_minutes', 'deviation', 'users') }} as z
    from spread

),

said as (

    select
        *,
        row_number() over (order by users * (mean_minutes - highest_minutes) desc, segmentation asc, segment_id asc)
            as place
    from judged
    where
        ratio >= {{ var('advice_least_ratio') }}
        and z >= {{ var('advice_least_z') }}

),

final as (

    select
        'upgrade' as topic,
        'Offer ' || subscription || ' to those in ' || segment_name || ' who pay for less: these '
        || {{ say_count('users') }} || ' users (' || {{ say_percent('share') }} || ' of the segment) watch '
        || {{ say_count('mean_minutes') }} || ' minutes each, more than the ' || {{ say_count('highest_minutes') }}
        || ' of the average ' || subscription || ' user.' as sentence,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'subscription': 'subscription', 'users': 'users',
            'share': 'share', 'mean_minutes': 'mean_minutes', 'highest_minutes': 'highest_minutes', 'z': 'z'
        }) }} as figures,
        'segment_subscriptions' as source,
        ratio
    from said
    where place = 1

)

select * from final
