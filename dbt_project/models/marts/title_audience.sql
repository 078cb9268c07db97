-- Users who are in the same segments of all segmentations are a cell: interactions are counted once by cell, and some
-- hundred thousand counts are then added up for each segmentation.
{% set z = 1.96 %}

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

cells as (

    select
        user_id,
        cast(
            dense_rank() over (order by string_agg(cast(segment_key as varchar), ',' order by segment_key)) as integer
        ) as cell
    from keyed
    group by user_id

),

segments_of_cells as (

    select distinct
        cells.cell,
        keyed.segment_key
    from cells
    inner join keyed on cells.user_id = keyed.user_id

),

counted_by_cell as (

    select
        cells.cell,
        ratings.title_id,
        count(*) as raters,
        count(ratings.rating) as ratings,
        sum({{ summable('ratings.rating') }}) as total_rating
    from ratings
    inner join cells on ratings.user_id = cells.user_id
    group by cells.cell, ratings.title_id

),

counted as (

    select
        segments_of_cells.segment_key,
        counted_by_cell.title_id,
        cast(sum(counted_by_cell.raters) as bigint) as raters,
        sum(counted_by_cell.total_rating) / nullif(sum(counted_by_cell.ratings), 0) as mean_rating
    from counted_by_cell
    inner join segments_of_cells on counted_by_cell.cell = segments_of_cells.cell
    group by segments_of_cells.segment_key, counted_by_cell.title_id

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

-- Who rates more rates more of every title: of a title's ratings a segment is expected to give its share of all.
activity as (

    select
        sizes.segmentation,
        sizes.segment_id,
        sum(coalesce(counted.raters, 0))
        / nullif(sum(sum(coalesce(counted.raters, 0))) over (partition by sizes.segmentation), 0) as activity_share
    from sizes
    left join counted on sizes.segment_key = counted.segment_key
    group by sizes.segmentation, sizes.segment_id

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
        all_raters.raters as all_raters,
        coalesce(rated.raters, 0) / all_raters.raters as audience_share,
        nullif(activity.activity_share, 0) as activity_share,
        rated.mean_rating
    from all_raters
    inner join sizes on all_raters.segmentation = sizes.segmentation
    inner join activity
        on
            sizes.segmentation = activity.segmentation
            and sizes.segment_id = activity.segment_id
    left join rated
        on
            all_raters.segmentation = rated.segmentation
            and all_raters.title_id = rated.title_id
            and sizes.segment_id = rated.segment_id

),

-- Wilson's interval (1927) of the segment's share of the title's raters, 95 %.
intervals as (

    select
        *,
        {{ wilson_middle('audience_share', 'all_raters', z) }} as centre,
        {{ wilson_half_width('audience_share', 'all_raters', z) }} as half_width
    from shares

),

final as (

    select
        ---------- ids
        intervals.segmentation,
        titles.title_key as title_id,
        intervals.segment_id,

        ---------- text
        intervals.segment_name,
        coalesce(titles.title, titles.title_key) as title,

        ---------- numbers
        intervals.members,
        intervals.raters,
        intervals.rater_share,
        intervals.base_share,
        intervals.audience_share,
        intervals.activity_share,
        100 * intervals.audience_share / intervals.activity_share as index,
        100 * greatest(intervals.centre - intervals.half_width, 0) / intervals.activity_share as index_low,
        100 * least(intervals.centre + intervals.half_width, 1) / intervals.activity_share as index_high,
        100 * intervals.rater_share / intervals.base_share as raw_index,
        intervals.mean_rating

    from intervals
    inner join titles on intervals.title_id = titles.title_id

)

select * from final
-- In this order a reader who looks one title up needs one part of the published file.
order by title_id, segmentation, segment_id
