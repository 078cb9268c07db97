-- What members of a segment begin and leave: titles that a larger share of them left than of all that they began, by
-- more than chance: Wilson's interval (1927), three standard errors wide, for a segment has hundreds of titles. Seen in
-- parts adds up.
{% set z = var('advice_least_z') %}

with

members as (

    {{ user_members() }}

),

seen as (

    select
        user_id,
        title_id,
        least(sum({{ summable('completion') }}), 1) as completion
    from {{ ref('int_views__watched') }}
    where
        completion is not null
        and title_id is not null
    group by user_id, title_id

),

titles as (

    select
        title_id,
        title_key,
        title
    from {{ ref('title_descriptions') }}

),

begun as (

    select
        members.segmentation,
        members.segment_id,
        members.segment_name,
        titles.title_key as title_id,
        coalesce(titles.title, titles.title_key) as title,
        count(*) as viewers,
        avg(case when seen.completion < {{ var('unfinished_below') }} then 1.0 else 0 end) as left_share
    from members
    inner join seen on members.user_id = seen.user_id
    inner join titles on seen.title_id = titles.title_id
    group by all

),

usual as (

    select
        segmentation,
        segment_id,
        sum(left_share * viewers) / sum(viewers) as usual_share
    from begun
    group by segmentation, segment_id

),

judged as (

    select
        begun.*,
        usual.usual_share,
        {{ wilson_middle('begun.left_share', 'begun.viewers', z) }}
        - {{ wilson_half_width('begun.left_share', 'begun.viewers', z) }} as left_low
    from begun
    inner join usual
        on
            begun.segmentation = usual.segmentation
            and begun.segment_id = usual.segment_id
    where begun.viewers >= {{ var('least_raters') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, segment_id
            order by left_low - usual_share desc, title_id asc
        ) as rank
    from judged
    where left_low > usual_share

),

final as (

    select
        ---------- ids
        segmentation,
        segment_id,
        cast(rank as integer) as rank,
        title_id,

        ---------- text
        segment_name,
        title,

        ---------- numbers
        viewers,
        left_share,
        left_low,
        usual_share

    from ranked
    where rank <= 20

)

select * from final
