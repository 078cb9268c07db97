-- A missing number is the mean of its catalogue, with a flag beside it: an average title pulls no segment anywhere.
-- Where the whole catalogue lacks it (a file of films has no critics), it is the mean of all catalogues.
with

titles as (

    select
        *,
        case when has_runtime then runtime_minutes end as feature_length_minutes,
        percent_rank() over (partition by catalogue order by votes) as votes_rank,
        {{ years_between('release_date', 'max(release_date) over ()') }} as years_to_newest
    from {{ ref('int_titles__weighted') }}

),

genres as (

    select
        titles.title_id,
        {{ dummies_of_rows('columns_held.genre_column', 'genre', title_genre_columns()) }}
    from {{ ref('int_titles__genres') }} as titles
    inner join {{ ref('int_genres__vocabulary') }} as columns_held
        on
            titles.genre = columns_held.genre
            and columns_held.used_for = 'titles'
    group by titles.title_id

),

languages as (

    select
        titles.title_id,
        {{ dummies_of_rows('columns_held.language_column', 'language', title_language_columns()) }}
    from {{ ref('int_titles__languages') }} as titles
    inner join {{ ref('int_languages__vocabulary') }} as columns_held on titles.language = columns_held.language
    group by titles.title_id

),

final as (

    select
        ---------- ids
        titles.title_id,

        ---------- text
        titles.catalogue,
        titles.title,
        titles.kind,

        ---------- numbers
        {% for feature, column in [
            ('weighted_score', 'weighted_score'), ('audience_score', 'audience_score'), ('critic_score', 'critic_score'),
            ('age_years', 'years_to_newest'), ('runtime_minutes', 'feature_length_minutes')
        ] -%}
            cast(coalesce(
                titles.{{ column }},
                avg({{ summable('titles.' ~ column) }}) over (partition by titles.catalogue),
                avg({{ summable('titles.' ~ column) }}) over (),
                0
            ) as double) as {{ feature }},
        {% endfor -%}
        cast(titles.votes as double) as votes,
        titles.votes_rank,

        ---------- flags
        case when titles.has_audience_score then 1 else 0 end as has_audience_score,
        case when titles.has_critic_score then 1 else 0 end as has_critic_score,
        case when titles.has_release_date then 1 else 0 end as has_release_date,
        case when titles.has_runtime then 1 else 0 end as has_runtime,
        case when genres.title_id is not null then 1 else 0 end as has_genre,
        case when languages.title_id is not null then 1 else 0 end as has_language,
        case when titles.kind = 'series' then 1 else 0 end as kind_series,
        {{ for_each('coalesce(genres.genre_{value}, 0) as genre_{value}', title_genre_columns()) }},
        {{ for_each('coalesce(languages.language_{value}, 0) as language_{value}', title_language_columns()) }}

    from titles
    left join genres on titles.title_id = genres.title_id
    left join languages on titles.title_id = languages.title_id

)

select * from final
