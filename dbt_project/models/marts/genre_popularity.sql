-- Summed from the users' features, not from their ratings. A user's count × mean is a sum of half stars; rounded to
-- one it is exact again, and the order in which users are added up cannot show.
with

rated as (

    select
        {{ for_each_genre('sum(cnt_{genre}) as ratings_{genre}') }},
        {{ for_each_genre('sum(case when cnt_{genre} > 0 then 1 else 0 end) as raters_{genre}') }},
        {{ for_each_genre('sum(round(cnt_{genre} * avg_{genre}, 3)) as stars_{genre}') }}
    from {{ ref('user_genre_stats') }}

),

watched as (

    select
        {{ for_each_genre('sum(titles.is_{genre} * movies.event_count) as events_{genre}') }},
        {{ for_each_genre('sum(titles.is_{genre} * movies.minutes) as minutes_{genre}') }}
    from {{ ref('int_viewing__titles') }} as movies
    inner join {{ ref('int_titles__with_genres') }} as titles on movies.title_row_id = titles.title_row_id

),

viewers as (

    select {{ for_each_genre('sum(case when genre_{genre} > 0 then 1 else 0 end) as viewers_{genre}') }}
    from {{ ref('user_viewing') }}

),

genres as (

    select * from {{ ref('int_genres__columns') }}

),

by_genre as (

    select
        genres.genre,
        genres.genre_label,
        {{ column_of_genre('rated.ratings_{genre}') }} as ratings,
        {{ column_of_genre('rated.raters_{genre}') }} as raters,
        {{ column_of_genre('rated.stars_{genre}') }} as stars,
        {{ column_of_genre('watched.events_{genre}') }} as events,
        {{ column_of_genre('watched.minutes_{genre}') }} as minutes,
        {{ column_of_genre('viewers.viewers_{genre}') }} as viewers
    from genres
    cross join rated
    cross join watched
    cross join viewers

),

final as (

    select
        ---------- ids
        genre,

        ---------- text
        genre_label,

        ---------- numbers
        cast(coalesce(ratings, 0) as bigint) as ratings,
        cast(coalesce(raters, 0) as bigint) as raters,
        stars / nullif(ratings, 0) as mean_rating,
        cast(coalesce(events, 0) as bigint) as events,
        coalesce(minutes, 0) as minutes,
        cast(coalesce(viewers, 0) as bigint) as viewers

    from by_genre

)

select * from final
