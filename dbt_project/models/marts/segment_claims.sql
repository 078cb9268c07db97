with

claims as (

    select * from {{ source('ml', 'segment_claims') }}

),

segments as (

    select * from {{ source('ml', 'segments') }}

),

final as (

    select
        ---------- ids
        claims.segmentation,
        claims.segment_id,

        ---------- text
        segments.segment_name,
        claims.feature,
        claims.sentence,
        claims.reason,

        ---------- numbers
        claims.segment_mean,
        claims.base_mean,
        claims.interval_low,
        claims.interval_high,
        claims.mean_without_largest,

        ---------- flags
        claims.is_supported

    from claims
    left join segments
        on
            claims.segmentation = segments.segmentation
            and claims.segment_id = segments.segment_id

)

select * from final
