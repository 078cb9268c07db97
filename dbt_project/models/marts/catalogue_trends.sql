with

titles as (

    select * from {{ ref('int_titles__weighted') }}

),

final as (

    select
        ---------- ids
        titles.catalogue,
        cast(titles.release_year as integer) as release_year,

        ---------- numbers
        {{ score_aggregates() }}

    from titles
    where titles.release_year is not null
    group by titles.catalogue, titles.release_year

)

select * from final
