-- Ordered by how surely more of a title's raters are of a segment than how much it rates explains: a title of three
-- raters may have an index of 1,000 by chance, and heads no list here.
with

audience as (

    select * from {{ ref('title_audience') }}

),

titles as (

    select
        title_key as title_id,
        coalesce(replace(genres, '|', ', '), '') as genres
    from {{ ref('title_descriptions') }}

),

judged as (

    select
        audience.*,
        titles.genres,
        (audience.audience_share - audience.activity_share)
        / sqrt(
            audience.activity_share * (1 - audience.activity_share) * audience.audience_share / audience.raters
        ) as z_score
    from audience
    inner join titles on audience.title_id = titles.title_id
    where
        audience.raters >= {{ var('least_raters') }}
        and audience.index_low > 100
        and audience.activity_share < 1

),

ranked as (

    select
        *,
        row_number() over (
            partition by segmentation, segment_id
            order by z_score desc, title_id asc
        ) as rank
    from judged
    where z_score >= {{ var('segment_title_least_z_score') }}

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
        genres,

        ---------- numbers
        raters,
        rater_share,
        base_share,
        index,
        index_low,
        index_high,
        raw_index,
        z_score,
        mean_rating

    from ranked
    where rank <= 20

)

select * from final
