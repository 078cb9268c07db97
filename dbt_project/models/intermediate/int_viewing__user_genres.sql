-- The genre flags of a title are one number, a bit for each, and a user has watched the genres of all bits together:
-- one value per user to keep up to date instead of 20 (2 M events: 0.3 s instead of 2).
with

events as (

    select
        user_id,
        movie_id
    from {{ ref('stg_viewing__watch_events') }}

),

movies as (

    select
        movies.movie_id,
        cast({{ for_each_genre('{bit} * titles.is_{genre}', separator=' +') }} as bigint) as genre_bits
    from {{ ref('int_viewing__titles') }} as movies
    inner join {{ ref('int_titles__with_genres') }} as titles on movies.title_row_id = titles.title_row_id

),

users as (

    select
        events.user_id,
        bit_or(movies.genre_bits) as genre_bits
    from events
    inner join movies on events.movie_id = movies.movie_id
    group by events.user_id

),

final as (

    select
        ---------- ids
        user_id,

        ---------- flags
        {{ for_each_genre('case when (genre_bits & {bit}) > 0 then 1 else 0 end as has_watched_{genre}') }}

    from users

)

select * from final
