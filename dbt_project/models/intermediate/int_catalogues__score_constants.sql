-- Only titles that somebody scored: the others have no say in what an average title is.
with

scored as (

    select
        catalogue,
        votes,
        audience_score
    from {{ ref('int_titles__described') }}
    where audience_score is not null

),

constants as (

    select
        catalogue,
        percentile_cont({{ var('vote_minimum_quantile') }}) within group (order by votes) as vote_minimum,
        avg({{ summable('audience_score') }}) as mean_score,
        count(*) as titles
    from scored
    group by catalogue

)

select * from constants
