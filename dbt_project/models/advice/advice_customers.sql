-- Only what segment_claims supports: the interval leaves out the mean of all, and no single customer decides.
with

claims as (

    select
        claims.*,
        segments.members,
        claims.segment_mean / nullif(claims.base_mean, 0) as ratio,
        row_number() over (
            order by claims.interval_low desc, claims.segmentation asc, claims.segment_id asc
        ) as from_best,
        row_number() over (
            order by claims.interval_high asc, claims.segmentation asc, claims.segment_id asc
        ) as from_worst
    from {{ ref('segment_claims') }} as claims
    inner join {{ ref('segments') }} as segments
        on
            claims.segmentation = segments.segmentation
            and claims.segment_id = segments.segment_id
    where
        claims.is_supported
        and claims.feature = 'clv'
        and segments.members >= {{ var('advice_least_people') }}

),

told as (

    select
        *,
        '(95 % interval ' || {{ say_number('interval_low') }} || ' to ' || {{ say_number('interval_high') }} || ', '
        || {{ say_count('members') }} || ' customers).' as how_sure,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'members': 'members', 'mean_clv': 'segment_mean',
            'base_mean_clv': 'base_mean', 'interval_low': 'interval_low', 'interval_high': 'interval_high'
        }) }} as figures
    from claims

),

final as (

    select
        'customers to win' as topic,
        'Spend on winning more customers like ' || segment_name || ': one is worth '
        || {{ say_number('segment_mean') }} || ' on average, more than the ' || {{ say_number('base_mean') }}
        || ' of all customers ' || how_sure as sentence,
        figures,
        'segment_claims' as source,
        ratio
    from told
    where
        from_best = 1
        and segment_mean > base_mean
    union all
    select
        'customers to price' as topic,
        'Cap what winning a customer like ' || segment_name || ' may cost at what one brings: '
        || {{ say_number('segment_mean') }} || ' on average, less than the ' || {{ say_number('base_mean') }}
        || ' of all customers ' || how_sure as sentence,
        figures,
        'segment_claims' as source,
        1 / nullif(ratio, 0) as ratio
    from told
    where
        from_worst = 1
        and segment_mean < base_mean

)

select * from final
