with

users as (

    select * from {{ ref('users') }}

),

summed as (

    select
        coalesce(subscription, 'Unknown') as subscription,
        coalesce(region, 'Unknown') as region,
        count(*) as users,
        avg(total_ratings) as mean_ratings,
        sum(minutes) as minutes,
        avg(minutes) as mean_minutes
    from users
    -- A rater without an entry has neither; such pairs say nothing of a subscription.
    where
        subscription is not null
        or region is not null
    group by 1, 2

),

final as (

    select
        ---------- ids
        subscription,
        region,

        ---------- numbers
        users,
        mean_ratings,
        minutes,
        mean_minutes

    from summed

)

select * from final
