-- The mean is over those who rate the genre; its standard error that of so many people, though they gave more ratings.
with

distributions as (

    select
        genre,
        sum(ratings) as ratings,
        sum(ratings * rating) / sum(ratings) as mean_rating,
        -- Where all ratings are one, what is left may lie below 0 by a rounding.
        sqrt(greatest(
            sum(ratings * rating * rating) / sum(ratings) - power(sum(ratings * rating) / sum(ratings), 2), 0
        )) as deviation
    from {{ ref('genre_rating_counts') }}
    group by genre

),

raters as (

    select count(*) as users
    from {{ ref('user_genre_stats') }}

),

genres as (

    select
        popularity.genre,
        popularity.genre_label,
        popularity.raters,
        distributions.mean_rating,
        distributions.deviation,
        popularity.raters / nullif(raters.users, 0) as rater_share,
        avg(popularity.raters / nullif(raters.users, 0)) over () as usual_share,
        sum(distributions.mean_rating * distributions.ratings) over ()
        / sum(distributions.ratings) over () as usual_rating
    from {{ ref('genre_popularity') }} as popularity
    inner join distributions on popularity.genre = distributions.genre
    cross join raters

),

judged as (

    select
        *,
        usual_share / nullif(rater_share, 0) as ratio,
        {{ z_of_mean('mean_rating', 'usual_rating', 'deviation', 'raters') }} as z
    from genres

),

said as (

    select
        *,
        row_number() over (order by mean_rating desc, genre asc) as place
    from judged
    where
        raters >= {{ var('advice_least_people') }}
        and mean_rating >= usual_rating + {{ var('advice_least_stars') }}
        and ratio >= {{ var('advice_least_ratio') }}
        and z >= {{ var('advice_least_z') }}

),

final as (

    select
        'hidden genre' as topic,
        'Promote ' || genre_label || ' to viewers who have not met it: the ' || {{ say_percent('rater_share') }}
        || ' who have rated it give it ' || {{ say_number('mean_rating') }} || ' stars, above the '
        || {{ say_number('usual_rating') }} || ' of all genres, while the average genre reaches '
        || {{ say_percent('usual_share') }} || '. Try it on a small group first: those who chose it may like it more.'
            as sentence,
        {{ figures_as_json({
            'genre': 'genre', 'raters': 'raters', 'rater_share': 'rater_share', 'usual_share': 'usual_share',
            'mean_rating': 'mean_rating', 'usual_rating': 'usual_rating', 'z': 'z'
        }) }} as figures,
        'genre_popularity' as source,
        ratio
    from said
    where place = 1

)

select * from final
