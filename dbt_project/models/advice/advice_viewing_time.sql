-- Who plans an evening decides before it: the message goes out two hours ahead of the fullest hour.
with

hours as (

    select
        weekday,
        hour,
        events,
        sum(events) over () as all_events,
        sum(events) over (partition by weekday) as day_events,
        row_number() over (order by events desc, weekday asc, hour asc) as place
    from {{ ref('viewing_hours') }}

),

days as (

    select
        weekday as quiet_weekday,
        day_events as quiet_events
    from hours
    order by day_events asc, weekday asc
    limit 1

),

users as (

    select count(distinct user_id) as viewers
    from {{ ref('user_devices') }}

),

judged as (

    select
        hours.*,
        days.quiet_weekday,
        days.quiet_events,
        users.viewers,
        hours.events / nullif(hours.all_events, 0) as share,
        168 * hours.events / nullif(hours.all_events, 0) as ratio,
        case when hours.hour >= 2 then hours.weekday else (hours.weekday + 5) % 7 + 1 end as send_weekday
    from hours
    cross join days
    cross join users
    where hours.place = 1

),

final as (

    select
        'time of viewing' as topic,
        'Send campaigns on ' || {{ say_weekday('send_weekday') }}
        || ' by ' || {{ say_hour('hour + 22') }} || ': on '
        || {{ say_weekday('weekday') }}
        || ' from ' || {{ say_hour('hour') }} || ' to ' || {{ say_hour('hour + 1') }} || ' begins '
        || {{ say_percent('share') }} || ' of the week''s viewing, ' || {{ say_number('ratio', 1) }}
        || ' times an average hour. '
        || case
            when quiet_events < 0.8 * day_events
                then
                    'Keep maintenance for ' || {{ say_weekday('quiet_weekday') }} || ', when '
                    || {{ say_percent('1 - quiet_events / day_events') }} || ' less is watched than on '
                    || {{ say_weekday('weekday') }} || '.'
            else 'The weekday itself matters little: on the emptiest one nearly as much is watched.'
        end as sentence,
        {{ figures_as_json({
            'weekday': 'weekday', 'hour': 'hour', 'events': 'events', 'all_events': 'all_events', 'share': 'share',
            'quiet_weekday': 'quiet_weekday', 'quiet_events': 'quiet_events', 'day_events': 'day_events',
            'viewers': 'viewers', 'z': z_of_share('share', '1.0 / 168', 'viewers')
        }) }} as figures,
        'viewing_hours' as source,
        ratio
    from judged
    where
        viewers >= {{ var('advice_least_people') }}
        and events >= {{ var('advice_least_people') }}
        and ratio >= 2 * {{ var('advice_least_ratio') }}
        and {{ z_of_share('share', '1.0 / 168', 'viewers') }} >= {{ var('advice_least_z') }}

)

select * from final
