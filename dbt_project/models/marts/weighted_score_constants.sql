with

constants as (

    select * from {{ ref('int_catalogues__score_constants') }}

),

final as (

    select
        ---------- ids
        catalogue,

        ---------- numbers
        cast(vote_minimum as double) as vote_minimum,
        cast(mean_score as double) as mean_score,
        cast(titles as bigint) as titles

    from constants

)

select * from final
