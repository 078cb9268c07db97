with

alike as (

    select * from {{ source('recommender', 'similar_titles') }}

),

titles as (

    select
        cast(title_id as varchar) as title_id,
        coalesce(title, cast(title_id as varchar)) as title
    from {{ ref('title_descriptions') }}

),

final as (

    select
        ---------- ids
        alike.title_id,
        alike.rank,
        alike.similar_title_id,

        ---------- text
        titles.title,
        similar_ones.title as similar_title,
        alike.basis,

        ---------- numbers
        alike.similarity

    from alike
    inner join titles on alike.title_id = titles.title_id
    inner join titles as similar_ones on alike.similar_title_id = similar_ones.title_id

)

select * from final
-- In this order a reader who looks one title up needs one part of the published file.
order by title_id, rank
