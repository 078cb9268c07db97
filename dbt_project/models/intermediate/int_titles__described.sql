with

runtimes as (

    select
        *,
        coalesce(lag(most_minutes) over (order by runtime_order), 0) as least_minutes
    from {{ ref('runtimes') }}

),

dated_movies as (

    select
        titles.*,
        coalesce(
            titles.release_date > {{ landed_on('titles') }} or titles.release_date < {{ first_film_day() }}, false
        ) as is_release_date_impossible
    from {{ ref('int_titles__with_genres') }} as titles
    where titles.is_first_of_title

),

movies as (

    select
        ---------- ids
        dated_movies.title_key as title_id,
        'movies' as catalogue,

        ---------- text
        dated_movies.title,
        coalesce(dated_movies.kind, 'movie') as kind,
        runtimes.runtime,
        cast(null as varchar) as countries,

        ---------- numbers
        -- Nobody's vote is no score, and a film of no minutes one of unknown length.
        case
            when dated_movies.vote_count > 0 and dated_movies.vote_average between 0 and 10
                then 10 * dated_movies.vote_average
        end as audience_score,
        cast(null as double) as critic_score,
        coalesce(dated_movies.vote_count, 0) as votes,
        case when dated_movies.runtime_minutes > 0 then dated_movies.runtime_minutes end as runtime_minutes,

        ---------- times
        case when not dated_movies.is_release_date_impossible then dated_movies.release_date end as release_date,

        ---------- flags
        false as is_runtime_estimated,
        false as is_title_repaired,
        dated_movies.is_release_date_impossible,
        false as is_of_both_kinds

    from dated_movies
    left join runtimes
        on
            dated_movies.runtime_minutes > 0
            and dated_movies.runtime_minutes >= runtimes.least_minutes
            and (dated_movies.runtime_minutes < runtimes.most_minutes or runtimes.most_minutes is null)

),

streaming as (

    select
        ---------- ids
        title_id,
        'streaming' as catalogue,

        ---------- text
        title,
        kind,
        runtime,
        countries,

        ---------- numbers
        case when coalesce(imdb_votes, 1) > 0 then 10 * imdb_score end as audience_score,
        -- The mean of those that there are.
        case
            when rotten_tomatoes_score is not null and metacritic_score is not null
                then (rotten_tomatoes_score + metacritic_score) / 2
            else coalesce(rotten_tomatoes_score, metacritic_score)
        end as critic_score,
        coalesce(imdb_votes, 0) as votes,
        runtime_minutes,

        ---------- times
        release_date,

        ---------- flags
        runtime_minutes is not null as is_runtime_estimated,
        is_title_repaired,
        is_release_date_impossible,
        is_of_both_kinds

    from {{ ref('int_catalogue__titles') }}

),

described as (

    select * from movies
    union all
    select * from streaming

),

final as (

    select
        *,
        cast(extract(year from release_date) as integer) as release_year,
        audience_score is not null as has_audience_score,
        critic_score is not null as has_critic_score,
        release_date is not null as has_release_date,
        -- What a series states is an episode's length at best.
        kind = 'movie' and runtime_minutes is not null as has_runtime
    from described

)

select * from final
