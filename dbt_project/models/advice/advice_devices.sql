with

devices as (

    select
        *,
        row_number() over (order by completion desc, device asc) as from_best,
        row_number() over (order by completion asc, device asc) as from_worst
    from {{ ref('devices') }}
    where
        completion > 0
        and device <> 'Unknown'
        and users >= {{ var('advice_least_people') }}

),

pairs as (

    select
        worst.device,
        worst.users,
        worst.judged_events,
        worst.completion,
        worst.events / (select sum(every.events) from {{ ref('devices') }} as every) as share,
        best.device as best_device,
        best.completion as best_completion,
        best.completion / worst.completion as ratio,
        {{ z_of_share('worst.completion', 'best.completion', 'worst.users') }} as z
    from devices as worst
    inner join devices as best
        on
            worst.from_worst = 1
            and best.from_best = 1
            and worst.device <> best.device

),

final as (

    select
        'unfinished viewing' as topic,
        case
            when share >= 0.2
                then
                    'Make what is begun on ' || device || ' easy to finish elsewhere: it carries '
                    || {{ say_percent('share') }} || ' of the viewing, and a title is watched to '
                    || {{ say_percent('completion') }} || ' there, to '
                    || {{ say_percent('best_completion') }} || ' on ' || best_device || '.'
            else
                'Spend little on ' || device || ' until viewing there is worth it: it carries '
                || {{ say_percent('share') }} || ' of the viewing, and a title is watched to '
                || {{ say_percent('completion') }} || ' there, to '
                || {{ say_percent('best_completion') }} || ' on ' || best_device || '.'
        end as sentence,
        {{ figures_as_json({
            'device': 'device', 'users': 'users', 'judged_events': 'judged_events', 'share': 'share',
            'completion': 'completion', 'best_device': 'best_device', 'best_completion': 'best_completion', 'z': 'z'
        }) }} as figures,
        'devices' as source,
        ratio
    from pairs
    where
        ratio >= {{ var('advice_least_ratio') }}
        and z <= -{{ var('advice_least_z') }}

)

select * from final
