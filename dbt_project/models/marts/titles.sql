with

titles as (

    select * from {{ ref('int_titles__weighted') }}

),

genre_lists as (

    select
        title_id,
        {{ dbt.listagg('genre_label', "', '", 'order by genre_label') }} as genres
    from {{ ref('int_titles__genres') }}
    group by title_id

),

language_lists as (

    select
        title_id,
        {{ dbt.listagg('language_label', "', '", 'order by language_label') }} as languages
    from {{ ref('int_titles__languages') }}
    group by title_id

),

-- Ratings of our users, who rate the films of movies_metadata and nothing else.
ratings as (

    select
        titles_rated.title_key as title_id,
        sum(counts.ratings) as rating_count,
        sum(counts.rating * counts.ratings) / sum(counts.ratings) as mean_rating
    from {{ ref('int_titles__rating_counts') }} as counts
    inner join {{ ref('int_titles__with_genres') }} as titles_rated on counts.title_row_id = titles_rated.title_row_id
    group by titles_rated.title_key

),

final as (

    select
        ---------- ids
        titles.title_id,

        ---------- text
        titles.catalogue,
        titles.title,
        titles.kind,
        cast(titles.release_year as integer) as release_year,
        titles.runtime,
        cast(titles.runtime_minutes as double) as runtime_minutes,
        genre_lists.genres,
        language_lists.languages,
        titles.countries,

        ---------- numbers
        cast(titles.audience_score as double) as audience_score,
        cast(titles.critic_score as double) as critic_score,
        cast(titles.votes as bigint) as votes,
        cast(titles.weighted_score as double) as weighted_score,
        cast(coalesce(ratings.rating_count, 0) as bigint) as rating_count,
        cast(ratings.mean_rating as double) as mean_rating,

        ---------- flags
        titles.is_title_repaired,
        titles.is_release_date_impossible,
        titles.is_runtime_estimated,
        titles.is_of_both_kinds

    from titles
    left join genre_lists on titles.title_id = genre_lists.title_id
    left join language_lists on titles.title_id = language_lists.title_id
    left join ratings on titles.title_id = ratings.title_id

)

select * from final
