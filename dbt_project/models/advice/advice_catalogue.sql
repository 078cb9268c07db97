-- Demand beside supply: a genre's share of all ratings and of all titles, both counted with each genre of a title.
with

raters as (

    select count(*) as users
    from {{ ref('user_genre_stats') }}

),

genres as (

    select
        popularity.genre,
        popularity.genre_label,
        popularity.raters,
        raters.users,
        popularity.ratings,
        popularity.mean_rating,
        counts.title_count,
        counts.title_count / nullif(sum(counts.title_count) over (), 0) as title_share,
        popularity.ratings / nullif(sum(popularity.ratings) over (), 0) as rating_share,
        sum(popularity.mean_rating * popularity.ratings) over ()
        / nullif(sum(popularity.ratings) over (), 0) as usual_rating
    from {{ ref('genre_popularity') }} as popularity
    inner join {{ ref('genre_counts') }} as counts on popularity.genre = counts.genre
    cross join raters

),

judged as (

    select
        *,
        rating_share / nullif(title_share, 0) as demand,
        {{ z_of_share('rating_share', 'title_share', 'users') }} as z
    from genres
    where raters >= {{ var('advice_least_people') }}

),

scarce as (

    select
        *,
        row_number() over (order by rating_share - title_share desc, genre asc) as place
    from judged
    where
        demand >= {{ var('advice_least_ratio') }}
        and mean_rating > usual_rating - {{ var('advice_least_stars') }}
        and z >= {{ var('advice_least_z') }}

),

plentiful as (

    select
        *,
        row_number() over (order by title_share - rating_share desc, genre asc) as place
    from judged
    where
        demand <= 1 / {{ var('advice_least_ratio') }}
        and z <= -{{ var('advice_least_z') }}

),

final as (

    select
        'catalogue to extend' as topic,
        'Buy more ' || genre_label || ': its ' || {{ say_count('title_count') }} || ' titles are '
        || {{ say_percent('title_share') }} || ' of the catalogue by genre and draw '
        || {{ say_percent('rating_share') }} || ' of the ratings, at ' || {{ say_number('mean_rating') }}
        || ' stars against ' || {{ say_number('usual_rating') }} || ' over all genres.' as sentence,
        {{ figures_as_json({
            'genre': 'genre', 'titles': 'title_count', 'title_share': 'title_share', 'ratings': 'ratings',
            'raters': 'raters', 'rating_share': 'rating_share', 'mean_rating': 'mean_rating',
            'usual_rating': 'usual_rating', 'z': 'z'
        }) }} as figures,
        'genre_popularity' as source,
        demand as ratio
    from scarce
    where place = 1
    union all
    select
        'catalogue to tend' as topic,
        case
            when mean_rating > usual_rating - {{ var('advice_least_stars') }}
                then
                    'Make the ' || genre_label || ' you have easier to find before you buy more: '
                    || {{ say_count('title_count') }} || ' titles, ' || {{ say_percent('title_share') }}
                    || ' of the catalogue by genre, draw ' || {{ say_percent('rating_share') }}
                    || ' of the ratings, though those who rate them give ' || {{ say_number('mean_rating') }}
                    || ' stars and like them ' || {{ say_liking('mean_rating', 'usual_rating') }}
                    || ' what they rate on average (' || {{ say_number('usual_rating') }} || ').'
            else
                'Be choosy when licences for ' || genre_label || ' come up for renewal: '
                || {{ say_count('title_count') }} || ' titles, ' || {{ say_percent('title_share') }}
                || ' of the catalogue by genre, draw ' || {{ say_percent('rating_share') }}
                || ' of the ratings, and at ' || {{ say_number('mean_rating') }}
                || ' stars they are liked less than the ' || {{ say_number('usual_rating') }} || ' over all genres.'
        end as sentence,
        {{ figures_as_json({
            'genre': 'genre', 'titles': 'title_count', 'title_share': 'title_share', 'ratings': 'ratings',
            'raters': 'raters', 'rating_share': 'rating_share', 'mean_rating': 'mean_rating',
            'usual_rating': 'usual_rating', 'z': 'z'
        }) }} as figures,
        'genre_popularity' as source,
        1 / demand as ratio
    from plentiful
    where place = 1

)

select * from final
