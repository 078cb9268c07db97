-- The weighted score of IMDb's charts: v / (v + m) x R + m / (v + m) x C, with R the audience score, v its votes, m the
-- catalogue's vote minimum and C its mean score. A title without a score has none.
with

titles as (

    select * from {{ ref('int_titles__described') }}

),

constants as (

    select * from {{ ref('int_catalogues__score_constants') }}

),

final as (

    select
        ---------- ids
        titles.title_id,
        titles.catalogue,

        ---------- text
        titles.title,
        titles.kind,
        titles.runtime,
        titles.countries,

        ---------- numbers
        titles.audience_score,
        titles.critic_score,
        titles.votes,
        titles.runtime_minutes,
        titles.release_year,
        case
            when titles.audience_score is not null
                then coalesce(
                    (titles.votes * titles.audience_score + constants.vote_minimum * constants.mean_score)
                    / nullif(titles.votes + constants.vote_minimum, 0),
                    constants.mean_score
                )
        end as weighted_score,

        ---------- times
        titles.release_date,

        ---------- flags
        titles.is_runtime_estimated,
        titles.is_title_repaired,
        titles.is_release_date_impossible,
        titles.is_of_both_kinds,
        titles.has_audience_score,
        titles.has_critic_score,
        titles.has_release_date,
        titles.has_runtime

    from titles
    left join constants on titles.catalogue = constants.catalogue

)

select * from final
