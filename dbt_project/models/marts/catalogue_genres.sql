with

titles as (

    select * from {{ ref('int_titles__weighted') }}

),

genres as (

    select * from {{ ref('int_titles__genres') }}

),

final as (

    select
        ---------- ids
        titles.catalogue,
        genres.genre_label,

        ---------- numbers
        cast(count(*) as bigint) as titles,
        cast(sum(case when titles.has_audience_score then 1 else 0 end) as bigint) as scored_titles,
        cast(avg(titles.audience_score) as double) as audience_score,
        cast(avg(titles.critic_score) as double) as critic_score,
        cast(avg(titles.weighted_score) as double) as weighted_score

    from titles
    inner join genres on titles.title_id = genres.title_id
    group by titles.catalogue, genres.genre_label

)

select * from final
