-- An id that links lead to no title of the catalogue goes by the id that links give it, one that links do not know by
-- its own, unless that is the id of another title.
with

named as (

    select
        movie_id,
        ratings,
        0 as views
    from {{ ref('int_ratings__counts') }}
    union all
    select
        movie_id,
        0 as ratings,
        event_count as views
    from {{ ref('int_viewing__titles') }}

),

counted as (

    select
        movie_id,
        sum(ratings) as ratings,
        sum(views) as views
    from named
    group by movie_id

),

links as (

    select
        movie_id,
        title_id
    from {{ ref('stg_movies__links') }}

),

titles as (

    select
        rows_of_titles.title_id,
        rows_of_titles.title,
        rows_of_titles.overview,
        with_genres.title_id is not null as has_genres,
        row_number() over (partition by rows_of_titles.title_id order by rows_of_titles.title_row_id asc) as place
    from {{ ref('int_titles__rows') }} as rows_of_titles
    left join {{ ref('int_titles__with_genres') }} as with_genres
        on
            rows_of_titles.title_id = with_genres.title_id
            and with_genres.is_first_of_title

),

-- Ids that stand for a title already.
taken as (

    select title_id
    from titles
    union distinct
    select title_id
    from links

),

unlisted as (

    select
        counted.movie_id,
        counted.ratings,
        counted.views,
        titles.title,
        titles.overview,
        titles.title_id is not null as is_in_catalogue,
        case
            when links.title_id is not null then links.title_id
            when taken.title_id is null then counted.movie_id
        end as title_id
    from counted
    left join links on counted.movie_id = links.movie_id
    left join titles
        on
            links.title_id = titles.title_id
            and titles.place = 1
    left join taken on counted.movie_id = taken.title_id
    where
        '{{ rating_join() }}' = 'links'
        and not coalesce(titles.has_genres, false)

),

ids as (

    select * from {{ source('landing', 'ids') }}

),

title_ids as (

    select * from {{ source('landing', 'ids') }}

),

final as (

    select
        ---------- ids
        unlisted.movie_id,
        {{ as_written('unlisted.movie_id') }} as movie_key,
        unlisted.title_id,
        coalesce(title_ids.id, cast(unlisted.title_id as varchar)) as title_key,

        ---------- text
        unlisted.title,
        unlisted.overview,

        ---------- numbers
        cast(unlisted.ratings as bigint) as ratings,
        cast(unlisted.views as bigint) as views,

        ---------- flags
        unlisted.is_in_catalogue

    from unlisted
    left join ids on unlisted.movie_id = ids.number
    left join title_ids on unlisted.title_id = title_ids.number

)

select * from final
