-- Of every title those who rate more have rated more. What counts is how far a segment goes beyond that.
{% set words = interaction_words() %}

with

activity as (

    select
        *,
        coalesce(rating_share, events / nullif(sum(events) over (partition by segmentation), 0))
        / nullif(member_share, 0) as activity
    from {{ ref('segment_activity') }}

),

titles as (

    select
        titles.*,
        activity.mean_rating as usual_rating,
        activity.activity,
        titles.rater_share / nullif(titles.base_share, 0) as times
    from {{ ref('segment_titles') }} as titles
    inner join activity
        on
            titles.segmentation = activity.segmentation
            and titles.segment_id = activity.segment_id

),

judged as (

    select
        *,
        times / nullif(activity, 0) as ratio
    from titles

),

said as (

    select
        *,
        row_number() over (partition by segmentation, segment_id order by ratio desc, title_id asc) as place_in_segment
    from judged
    where
        raters >= {{ var('advice_least_people') }}
        and ratio >= {{ var('advice_least_ratio') }}
        and times >= {{ var('advice_least_ratio') }}
        and z_score >= {{ var('advice_least_z') }}
        and coalesce(mean_rating > usual_rating - {{ var('advice_least_stars') }}, true)

),

chosen as (

    select
        *,
        row_number() over (partition by title_id order by ratio desc, segmentation asc) as place_of_title
    from said
    where place_in_segment = 1

),

final as (

    select
        'segment and title' as topic,
        'Put “' || title || '” in front of those in ' || segment_name || ' who have not seen it: '
        || {{ say_percent('rater_share') }} || ' of them have {{ words.acted }} it, against '
        || {{ say_percent('base_share') }} || ' of all viewers, more than how much they {{ words.act }} explains'
        || coalesce(
            ', and with ' || {{ say_number('mean_rating') }} || ' stars they like it '
            || {{ say_liking('mean_rating', 'usual_rating') }} || ' what they rate on average ('
            || {{ say_number('usual_rating') }} || ')', ''
        ) || '.' as sentence,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'title_id': 'title_id', 'title': 'title',
            words.people: 'raters', ('rater_share' if words.act == 'rate' else 'share'): 'rater_share', 'base_share': 'base_share', 'activity': 'activity',
            'mean_rating': 'mean_rating', 'usual_rating': 'usual_rating', 'z': 'z_score'
        }) }} as figures,
        'segment_titles' as source,
        ratio
    from chosen
    where place_of_title = 1

)

select * from final
