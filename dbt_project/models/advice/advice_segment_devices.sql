with

pairs as (

    select
        segments.*,
        segments.index / 100 as ratio,
        segments.share * 100 / nullif(segments.index, 0) as base_share,
        devices.completion,
        (
            select sum(other.completion * other.judged_events) / sum(other.judged_events)
            from {{ ref('devices') }} as other
        ) as usual_completion
    from {{ ref('segment_devices') }} as segments
    inner join {{ ref('devices') }} as devices on segments.device = devices.device
    -- Of an unknown device nothing follows.
    where segments.device <> 'Unknown'

),

judged as (

    select
        *,
        {{ z_of_share('share', 'base_share', 'viewers') }} as z
    from pairs

),

said as (

    select
        *,
        row_number() over (partition by segmentation, segment_id order by share - base_share desc, device asc)
            as place_in_segment
    from judged
    where
        viewers >= {{ var('advice_least_people') }}
        and ratio >= {{ var('advice_least_ratio') }}
        and z >= {{ var('advice_least_z') }}

),

chosen as (

    select
        *,
        row_number() over (partition by device order by share - base_share desc, segmentation asc) as place_in_device
    from said
    where place_in_segment = 1

),

final as (

    select
        'segment and device' as topic,
        case
            when completion < usual_completion
                then
                    'Reach ' || segment_name || ' on ' || device || ' with something short: '
                    || {{ say_percent('share') }} || ' of their viewing happens there, against '
                    || {{ say_percent('base_share') }} || ' of everybody''s, but only '
                    || {{ say_percent('completion') }} || ' of a title is watched on it ('
                    || {{ say_percent('usual_completion') }} || ' across devices).'
            when completion >= usual_completion
                then
                    'Design what you make for ' || segment_name || ' for ' || device || ' first: '
                    || {{ say_percent('share') }} || ' of their viewing happens there, against '
                    || {{ say_percent('base_share') }} || ' of everybody''s, and ' || {{ say_percent('completion') }}
                    || ' of a title is watched on it (' || {{ say_percent('usual_completion') }} || ' across devices).'
            else
                'Address ' || segment_name || ' on ' || device || ': ' || {{ say_percent('share') }}
                || ' of their viewing happens there, against ' || {{ say_percent('base_share') }} || ' of everybody''s.'
        end as sentence,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'device': 'device', 'viewers': 'viewers',
            'events': 'events', 'share': 'share', 'base_share': 'base_share', 'completion': 'completion',
            'usual_completion': 'usual_completion', 'z': 'z'
        }) }} as figures,
        'segment_devices' as source,
        ratio
    from chosen
    where place_in_device = 1

)

select * from final
