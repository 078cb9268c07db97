-- Of equal scores the one with more votes comes first; then the id decides, so that a list never depends on the reader.
with

members as (

    select
        segmentation,
        segment_id,
        segment_name,
        entity_id as title_id
    from {{ ref('segment_members') }}
    where
        segmentation in (
            select dividing.segmentation
            from {{ source('ml', 'segments') }} as dividing
            where dividing.entity = 'title_id'
        )

),

titles as (

    select * from {{ ref('titles') }}
    where weighted_score is not null

),

ranked as (

    select
        members.segmentation,
        members.segment_id,
        members.segment_name,
        titles.title_id,
        titles.title,
        titles.genres,
        titles.weighted_score,
        row_number() over (
            partition by members.segmentation, members.segment_id
            order by titles.weighted_score desc, titles.votes desc, titles.title_id asc
        ) as place
    from members
    inner join titles on members.title_id = titles.title_id

),

final as (

    select
        ---------- ids
        segmentation,
        segment_id,

        ---------- text
        segment_name,

        ---------- numbers
        cast(place as integer) as rank,

        ---------- ids
        title_id,

        ---------- text
        title,
        genres,

        ---------- numbers
        weighted_score

    from ranked
    where place <= {{ var('picks_per_segment') }}

)

select * from final
