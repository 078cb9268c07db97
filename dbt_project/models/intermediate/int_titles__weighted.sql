-- The weighted score of IMDb's charts: v / (v + m) x R + m / (v + m) x C, with R the audience score, v its votes, and of
-- the catalogue m the vote minimum and C the mean score. A title without a score has none.
with

titles as (

    select * from {{ ref('int_titles__described') }}

),

constants as (

    select * from {{ ref('int_catalogues__score_constants') }}

),

final as (

    select
        titles.*,
        case
            when titles.audience_score is not null
                then coalesce(
                    (titles.votes * titles.audience_score + constants.vote_minimum * constants.mean_score)
                    / nullif(titles.votes + constants.vote_minimum, 0),
                    constants.mean_score
                )
        end as weighted_score
    from titles
    left join constants on titles.catalogue = constants.catalogue

)

select * from final
