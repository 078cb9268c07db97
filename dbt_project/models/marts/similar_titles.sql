with

alike as (

    select
        title_id,
        rank,
        similar_title_id,
        similarity,
        basis
    from {{ source('recommender', 'similar_titles') }}
    union all
    select
        title_id,
        rank,
        similar_title_id,
        similarity,
        basis
    from {{ source('recommender', 'similar_catalogue_titles') }}

),

titles as (

    select
        cast(title_id as varchar) as number,
        title_key as title_id,
        coalesce(title, title_key) as title
    from {{ ref('title_descriptions') }}
    union all
    select
        title_id as number,
        title_id,
        coalesce(title, title_id) as title
    from {{ ref('catalogue_descriptions') }}

),

final as (

    select
        ---------- ids
        titles.title_id,
        alike.rank,
        similar_ones.title_id as similar_title_id,

        ---------- text
        titles.title,
        similar_ones.title as similar_title,
        alike.basis,

        ---------- numbers
        alike.similarity

    from alike
    inner join titles on alike.title_id = titles.number
    inner join titles as similar_ones on alike.similar_title_id = similar_ones.number

)

select * from final
-- In this order a reader who looks one title up needs one part of the published file.
order by title_id, rank
