-- A full join of three lists of users: who has a subscription, who rates, who watches. None need hold another.
with

listed as (

    select * from {{ ref('int_viewing__users') }}

),

raters as (

    select
        user_id,
        total_ratings,
        mean_rating
    from {{ ref('user_genre_stats') }}

),

devices as (

    select
        user_id,
        device,
        events,
        minutes,
        row_number() over (partition by user_id order by minutes desc, events desc, device asc) as place
    from {{ ref('user_devices') }}

),

viewers as (

    select
        user_id,
        sum(events) as events,
        sum(minutes) as minutes,
        max(case when place = 1 then device end) as favourite_device
    from devices
    group by user_id

),

genres as (

    select
        user_id,
        genre_label,
        row_number() over (partition by user_id order by ratings desc, mean_rating desc, genre_label asc) as place
    from {{ ref('user_genres') }}

),

favourites as (

    select
        user_id,
        max(case when place = 1 then genre_label end) as first_genre,
        max(case when place = 2 then genre_label end) as second_genre,
        max(case when place = 3 then genre_label end) as third_genre
    from genres
    where place <= 3
    group by user_id

),

everybody as (

    select
        coalesce(listed.user_id, raters.user_id, viewers.user_id) as user_id,
        listed.subscription,
        listed.region,
        listed.joined_on,
        listed.ended_on,
        raters.total_ratings,
        raters.mean_rating,
        viewers.events,
        viewers.minutes,
        viewers.favourite_device
    from listed
    full outer join raters on listed.user_id = raters.user_id
    full outer join viewers on coalesce(listed.user_id, raters.user_id) = viewers.user_id

),

final as (

    select
        ---------- ids
        everybody.user_id,

        ---------- text
        everybody.subscription,
        everybody.region,
        concat_ws(', ', favourites.first_genre, favourites.second_genre, favourites.third_genre) as genre_names,
        everybody.favourite_device,

        ---------- numbers
        coalesce(everybody.total_ratings, 0) as total_ratings,
        everybody.mean_rating,
        cast(coalesce(everybody.events, 0) as bigint) as events,
        coalesce(everybody.minutes, 0) as minutes,

        ---------- times
        everybody.joined_on,
        everybody.ended_on

    from everybody
    left join favourites on everybody.user_id = favourites.user_id

)

select
    user_id,
    subscription,
    region,
    joined_on,
    ended_on,
    total_ratings,
    mean_rating,
    events,
    minutes,
    nullif(genre_names, '') as favourite_genres,
    favourite_device
from final
