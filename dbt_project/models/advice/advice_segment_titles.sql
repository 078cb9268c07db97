-- Of every title those who rate more have rated more. What counts is how far a segment goes beyond that: the index.
{% set words = interaction_words() %}

with

judged as (

    select
        titles.*,
        activity.mean_rating as usual_rating,
        titles.index / 100 as ratio
    from {{ ref('segment_titles') }} as titles
    inner join {{ ref('segment_activity') }} as activity
        on
            titles.segmentation = activity.segmentation
            and titles.segment_id = activity.segment_id

),

said as (

    select
        *,
        row_number() over (partition by segmentation, segment_id order by ratio desc, title_id asc) as place_in_segment
    from judged
    where
        raters >= {{ var('advice_least_people') }}
        and ratio >= {{ var('advice_least_ratio') }}
        and raw_index >= 100 * {{ var('advice_least_ratio') }}
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
            words.people: 'raters', ('rater_share' if words.act == 'rate' else 'share'): 'rater_share', 'base_share': 'base_share', 'index': 'index', 'raw_index': 'raw_index',
            'mean_rating': 'mean_rating', 'usual_rating': 'usual_rating', 'z': 'z_score'
        }) }} as figures,
        'segment_titles' as source,
        ratio
    from chosen
    where place_of_title = 1

)

select * from final
