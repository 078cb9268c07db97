-- What a member did last says more of it than any mean. Exemplars are few: one pass over all interactions serves.
with

exemplars as (

    select
        members.segmentation,
        members.segment_id,
        members.rank,
        members.entity_id as entity,
        segments.entity as kind,
        case when segments.entity = 'user_id' then try_cast(members.entity_id as bigint) end as user_id
    from {{ source('ml', 'segment_exemplars') }} as members
    inner join {{ source('ml', 'segments') }} as segments
        on
            members.segmentation = segments.segmentation
            and members.segment_id = segments.segment_id

),

chosen as (

    select
        interactions.user_id,
        interactions.rating,
        titles.title,
        count(*) over (partition by interactions.user_id) as titles,
        row_number() over (
            partition by interactions.user_id
            order by interactions.last_at desc nulls last, interactions.weight desc, interactions.title_id asc
        ) as place
    from {{ ref('user_interactions') }} as interactions
    inner join {{ ref('title_descriptions') }} as titles on interactions.title_id = titles.title_id
    where interactions.user_id in (select exemplars.user_id from exemplars)

),

histories as (

    select
        user_id,
        max(titles) as titles,
        string_agg(
            title || coalesce(' (' || {{ say_number('rating', 1) }} || ')', ''), '; '
            order by place
        ) as history
    from chosen
    where place <= 5
    group by user_id

),

titles as (

    select
        title_id,
        title
    from {{ ref('titles') }}

),

final as (

    select
        ---------- ids
        exemplars.segmentation,
        exemplars.segment_id,
        exemplars.rank,
        {{ as_written('exemplars.entity') }} as entity_id,

        ---------- text
        titles.title,
        histories.history,

        ---------- numbers
        coalesce(histories.titles, 0) as titles

    from exemplars
    left join {{ source('landing', 'ids') }} as ids on exemplars.user_id = ids.number
    left join histories on exemplars.user_id = histories.user_id
    left join titles
        on
            exemplars.entity = titles.title_id
            and exemplars.kind = 'title_id'

)

select * from final
