-- The audience of a title is looked up by one key, made of title and segment, so that millions of rows meet two small
-- tables only.
{% set acted = interaction_words().acted %}
{% set personas = var('reason_segmentation') %}

with

recommended as (

    select * from {{ source('recommender', 'recommendations') }}

),

titles as (

    select
        cast(title_id as varchar) as number,
        title_key as title_id,
        coalesce(title, title_key) as title,
        coalesce(replace(genres, '|', ', '), '') as genres
    from {{ ref('title_descriptions') }}

),

members as (

    select
        try_cast(entity_id as bigint) as user_id,
        segment_id
    from {{ source('ml', 'segment_members') }}
    where segmentation = '{{ personas }}'

),

favoured as (

    select
        title_id,
        segment_id,
        segment_name
    from {{ ref('title_audience') }}
    where
        segmentation = '{{ personas }}'
        and index >= {{ var('reason_least_index') }}
        and index_low > 100
        and raters >= {{ var('least_raters') }}

),

reasoned as (

    select
        recommended.user_id,
        recommended.rank,
        titles.title_id,
        recommended.score,
        titles.title,
        titles.genres,
        favoured.segment_name,
        case
            when other.title is not null then 'because you {{ acted }} ' || because.title || ' and ' || other.title
            when because.title is not null then 'because you {{ acted }} ' || because.title
        end as because
    from recommended
    inner join titles on recommended.title_id = titles.number
    left join titles as because on recommended.because_title_id = because.number
    left join titles as other on recommended.because_other_title_id = other.number
    left join members on recommended.user_id = members.user_id
    left join favoured
        on
            titles.title_id = favoured.title_id
            and members.segment_id = favoured.segment_id

),

final as (

    select
        ---------- ids
        user_id,
        rank,
        title_id,

        ---------- text
        title,
        genres,
        case
            when because is not null and segment_name is not null then because || '; popular with ' || segment_name
            when because is not null then because
            when segment_name is not null then 'popular with ' || segment_name
            else 'popular with other viewers'
        end as reason,

        ---------- numbers
        score

    from reasoned

)

select * from final
