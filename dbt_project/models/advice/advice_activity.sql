-- By ratings; where a segmentation's members give none, by the minutes that they watch.
with

segments as (

    select
        *,
        sum(mean_rating * members) over (partition by segmentation)
        / sum(members) over (partition by segmentation) as usual_rating,
        coalesce(rating_share, minute_share) as share,
        coalesce(rating_share, minute_share) / nullif(member_share, 0) as activity
    from {{ ref('segment_activity') }}

),

judged as (

    select
        *,
        {{ z_of_mean('mean_rating', 'usual_rating', 'rating_deviation', 'members') }} as rating_z
    from segments
    where members >= {{ var('advice_least_people') }}

),

-- Twice as far as usual: that some give more ratings than others is true of any viewers.
busy as (

    select
        *,
        row_number() over (order by share - member_share desc, segmentation asc) as place
    from judged
    where activity >= 2 * {{ var('advice_least_ratio') }}

),

quiet as (

    select
        *,
        row_number() over (order by member_share - share desc, segmentation asc) as place
    from judged
    where activity <= 1 / (2 * {{ var('advice_least_ratio') }})

),

final as (

    select
        'segment to keep' as topic,
        'Keep ' || segment_name || ' before you win anybody new: these ' || {{ say_count('members') }} || ' people are '
        || {{ say_percent('member_share') }} || ' of the viewers and '
        || case
            when rating_share is null then 'watch ' || {{ say_percent('minute_share') }} || ' of all minutes'
            else 'give ' || {{ say_percent('rating_share') }} || ' of the ratings that recommendations learn from'
        end
        || case
            when rating_share is null then ''
            when minute_share > member_share
                then '; ' || {{ say_percent('minute_share') }} || ' of the minutes watched are theirs too'
            when minute_share <= member_share
                then ', though only ' || {{ say_percent('minute_share') }} || ' of the minutes watched are theirs'
            else ''
        end
        || '.' as sentence,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'members': 'members',
            'member_share': 'member_share', 'ratings': 'ratings', 'rating_share': 'rating_share',
            'minute_share': 'minute_share'
        }) }} as figures,
        'segment_activity' as source,
        activity as ratio
    from busy
    where place = 1
    union all
    select
        'segment to win back' as topic,
        case
            when rating_share is null
                then
                    'Remind ' || segment_name || ' to come back: they are ' || {{ say_percent('member_share') }}
                    || ' of the viewers and watch only ' || {{ say_percent('minute_share') }} || ' of all minutes.'
            when rating_z <= -{{ var('advice_least_z') }}
                then
                    'Ask ' || segment_name || ' what they miss before you send them more: they are '
                    || {{ say_percent('member_share') }} || ' of the viewers, give '
                    || {{ say_percent('rating_share') }} || ' of the ratings and are less content, with '
                    || {{ say_number('mean_rating') }} || ' stars against the ' || {{ say_number('usual_rating') }}
                    || ' of all.'
            else
                'Remind ' || segment_name || ' to come back rather than change what they are offered: they are '
                || {{ say_percent('member_share') }} || ' of the viewers and give only '
                || {{ say_percent('rating_share') }} || ' of the ratings, but with '
                || {{ say_number('mean_rating') }} || ' stars they are not measurably less content than all ('
                || {{ say_number('usual_rating') }} || ').'
        end as sentence,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'members': 'members',
            'member_share': 'member_share', 'ratings': 'ratings', 'rating_share': 'rating_share',
            'minute_share': 'minute_share', 'mean_rating': 'mean_rating', 'usual_rating': 'usual_rating',
            'rating_z': 'rating_z'
        }) }} as figures,
        'segment_activity' as source,
        1 / nullif(activity, 0) as ratio
    from quiet
    where place = 1

)

select * from final
