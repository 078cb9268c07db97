-- Where the source has hours, each of the 168 of the week is there: an hour in which nobody watches is an answer.
with

counted as (

    select
        {{ iso_weekday('watched_at') }} as weekday,
        watched_hour as hour,
        count(*) as events
    from {{ ref('int_views__watched') }}
    where watched_hour is not null
    group by 1, 2

),

weekdays as (

    {% for weekday in range(1, 8) %}
        select {{ weekday }} as weekday
        {{ "union all" if not loop.last }}
    {% endfor %}

),

hours as (

    {% for hour in range(24) %}
        select {{ hour }} as hour
        {{ "union all" if not loop.last }}
    {% endfor %}

),

known as (

    select count(*) as hours
    from counted

),

final as (

    select
        ---------- ids
        weekdays.weekday,
        hours.hour,

        ---------- numbers
        coalesce(counted.events, 0) as events

    from weekdays
    cross join hours
    left join counted
        on
            weekdays.weekday = counted.weekday
            and hours.hour = counted.hour
    cross join known
    where known.hours > 0

)

select * from final
