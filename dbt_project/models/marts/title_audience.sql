-- A number stands for segmentation and segment while 26 M ratings are counted: 2.7 s of CPU for two segmentations, 8.8
-- with their names.
with

ratings as (

    select * from {{ ref('user_interactions') }}

),

titles as (

    select * from {{ ref('title_descriptions') }}

),

members as (

    {{ user_members() }}

),

sizes as (

    select
        segmentation,
        segment_id,
        segment_name,
        count(*) as members,
        sum(count(*)) over (partition by segmentation) as everybody,
        cast(row_number() over (order by segmentation, segment_id) as integer) as segment_key
    from members
    group by segmentation, segment_id, segment_name

),

keyed as (

    select
        members.user_id,
        sizes.segment_key
    from members
    inner join sizes
        on
            members.segmentation = sizes.segmentation
            and members.segment_id = sizes.segment_id

),

counted as (

    select
        keyed.segment_key,
        ratings.title_id,
        count(*) as raters,
        avg(ratings.rating) as mean_rating
    from ratings
    inner join keyed on ratings.user_id = keyed.user_id
    group by keyed.segment_key, ratings.title_id

),

-- Titles that somebody of the segmentation rated, beside every segment: a segment in which nobody did says so with 0.
rated as (

    select
        sizes.segmentation,
        sizes.segment_id,
        counted.title_id,
        counted.raters,
        counted.mean_rating
    from counted
    inner join sizes on counted.segment_key = sizes.segment_key

),

all_raters as (

    select
        segmentation,
        title_id,
        sum(raters) as raters
    from rated
    group by segmentation, title_id

),

shares as (

    select
        all_raters.segmentation,
        all_raters.title_id,
        sizes.segment_id,
        sizes.segment_name,
        sizes.members,
        coalesce(rated.raters, 0) as raters,
        coalesce(rated.raters, 0) / sizes.members as rater_share,
        all_raters.raters / sizes.everybody as base_share,
        rated.mean_rating
    from all_raters
    inner join sizes on all_raters.segmentation = sizes.segmentation
    left join rated
        on
            all_raters.segmentation = rated.segmentation
            and all_raters.title_id = rated.title_id
            and sizes.segment_id = rated.segment_id

),

final as (

    select
        ---------- ids
        shares.segmentation,
        titles.title_key as title_id,
        shares.segment_id,

        ---------- text
        shares.segment_name,
        coalesce(titles.title, titles.title_key) as title,

        ---------- numbers
        shares.members,
        shares.raters,
        shares.rater_share,
        shares.base_share,
        100 * shares.rater_share / shares.base_share as index,
        shares.mean_rating

    from shares
    inner join titles on shares.title_id = titles.title_id

)

select * from final
-- In this order a reader who looks one title up needs one part of the published file.
order by title_id, segmentation, segment_id
