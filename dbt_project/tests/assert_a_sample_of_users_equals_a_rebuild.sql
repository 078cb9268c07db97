-- Others each time the ratings are built. What grew is compared with what the landing says of these users, in other
-- words than those that built it: a ranking.
with

sampled as (

    select user_id
    from {{ ref('user_genre_stats') }}
    order by md5(cast(user_id as varchar) || '{{ last_version() if execute }}'), user_id
    limit 200

),

ranked as (

    select
        ratings.user_id,
        titles.title_id,
        titles.title_row_id,
        ratings.rating,
        count(*) over (partition by ratings.user_id, titles.title_id) as rating_count,
        row_number() over (
            partition by ratings.user_id, titles.title_id
            order by
                ratings.rated_at desc nulls last,
                ratings.arrival desc,
                titles.place desc,
                ratings.rating desc
        ) as place
    from {{ ref('stg_movies__ratings') }} as ratings
    inner join {{ ref('int_ratings__titles') }} as titles on ratings.movie_id = titles.movie_id
    where ratings.user_id in (select sampled.user_id from sampled)

),

expected_ratings as (

    select
        user_id,
        title_id,
        title_row_id,
        rating,
        rating_count
    from ranked
    where place = 1

),

built_ratings as (

    select
        user_id,
        title_id,
        title_row_id,
        rating,
        rating_count
    from {{ ref('int_ratings__last') }}
    where user_id in (select sampled.user_id from sampled)

),

expected_stats as (

    select
        ratings.user_id,
        sum(ratings.rating_count) as total_ratings,
        count(*) as total_titles,
        {{ for_each_genre('sum(titles.is_{genre}) as cnt_{genre}') }},
        {{ for_each_genre(
            'round(coalesce(avg(case when titles.is_{genre} = 1 then ratings.rating end), 0), 6) as avg_{genre}'
        ) }}
    from expected_ratings as ratings
    inner join {{ ref('int_titles__with_genres') }} as titles on ratings.title_row_id = titles.title_row_id
    group by ratings.user_id

),

built_stats as (

    select
        user_id,
        total_ratings,
        total_titles,
        {{ for_each_genre('cnt_{genre}') }},
        {{ for_each_genre('round(avg_{genre}, 6) as avg_{genre}') }}
    from {{ ref('user_genre_stats') }}
    where user_id in (select sampled.user_id from sampled)

),

differing as (

    {% for one, other in [
        ('expected_ratings', 'built_ratings'), ('built_ratings', 'expected_ratings'),
        ('expected_stats', 'built_stats'), ('built_stats', 'expected_stats')
    ] %}
        select difference.user_id
        from (
            select * from {{ one }}
            except
            select * from {{ other }}
        ) as difference
        {{ 'union all' if not loop.last }}
    {% endfor %}

)

-- The direct join, as published, knows no last rating, and never grows.
select * from differing
where '{{ rating_join() }}' = 'links'
