-- What a segment's taste is made of, not how much it rates: of every genre those who rate more rate more.
{% set words = interaction_words() %}

with

genres as (

    select
        marts.*,
        seed.genre_label,
        sum(marts.genre_share * marts.members) over (partition by marts.segmentation, marts.genre)
        / sum(marts.members) over (partition by marts.segmentation, marts.genre) as base_share,
        sum(marts.rater_mean_rating * marts.raters) over (partition by marts.segmentation, marts.segment_id)
        / nullif(sum(marts.raters) over (partition by marts.segmentation, marts.segment_id), 0) as usual_rating
    from {{ ref('segment_genre_ratings') }} as marts
    inner join {{ ref('int_genres__columns') }} as seed on marts.genre = seed.genre

),

judged as (

    select
        *,
        genre_share / nullif(base_share, 0) as ratio,
        {{ z_of_mean('genre_share', 'base_share', 'genre_share_deviation', 'members') }} as z
    from genres

),

said as (

    select
        *,
        row_number() over (partition by segmentation, segment_id order by genre_share - base_share desc, genre asc)
            as place_in_segment
    from judged
    where
        raters >= {{ var('advice_least_people') }}
        and genre_share >= {{ var('advice_least_taste') }}
        and ratio >= {{ var('advice_least_ratio') }}
        and z >= {{ var('advice_least_z') }}

),

-- One sentence per genre: segmentations overlap, and would say the same of the same people.
chosen as (

    select
        *,
        row_number() over (partition by genre order by genre_share - base_share desc, segmentation asc)
            as place_in_genre
    from said
    where place_in_segment = 1

),

final as (

    select
        'segment and genre' as topic,
        case
            when rater_mean_rating is null
                then
                    'Lead with ' || genre_label || ' when you address ' || segment_name || ': it makes up '
                    || {{ say_percent('genre_share') }} || ' of the titles that they {{ words.act }}, against '
                    || {{ say_percent('base_share') }} || ' among all viewers.'
            when rater_mean_rating > usual_rating - {{ var('advice_least_stars') }}
                then
                    'Lead with ' || genre_label || ' when you address ' || segment_name || ': it makes up '
                    || {{ say_percent('genre_share') }} || ' of the titles that they {{ words.act }}, against '
                    || {{ say_percent('base_share') }} || ' among all viewers, and with '
                    || {{ say_number('rater_mean_rating') }} || ' stars they like it '
                    || {{ say_liking('rater_mean_rating', 'usual_rating') }} || ' their average genre ('
                    || {{ say_number('usual_rating') }} || ').'
            else
                'Give ' || segment_name || ' better ' || genre_label || ', not more of it: it makes up '
                || {{ say_percent('genre_share') }} || ' of the titles that they {{ words.act }}, against '
                || {{ say_percent('base_share') }} || ' among all viewers, yet they give it '
                || {{ say_number('rater_mean_rating') }} || ' stars where their genres get '
                || {{ say_number('usual_rating') }} || ' on average.'
        end as sentence,
        {{ figures_as_json({
            'segmentation': 'segmentation', 'segment': 'segment_name', 'genre': 'genre', 'members': 'members',
            words.people: 'raters', 'share': 'genre_share', 'base_share': 'base_share', 'mean_rating': 'rater_mean_rating',
            'usual_rating': 'usual_rating', 'z': 'z'
        }) }} as figures,
        'segment_genre_ratings' as source,
        ratio
    from chosen
    where place_in_genre = 1

)

select * from final
