with

matches as (

    select * from {{ source('audiences', 'audience_matches') }}

),

pairs as (

    select
        one.audience,
        other.audience as other
    from {{ source('audiences', 'audiences') }} as one
    inner join {{ source('audiences', 'audiences') }} as other
        on one.entity = other.entity and one.audience <> other.audience

),

counted as (

    select
        one.audience,
        other.audience as other,
        count(*) as shared,
        count(case when one.taken_by = other.audience then 1 end) as lost_to_other
    from matches as one
    inner join matches as other
        on one.entity = other.entity and one.entity_id = other.entity_id and one.audience <> other.audience
    group by one.audience, other.audience

),

final as (

    select
        pairs.audience,
        pairs.other,
        coalesce(counted.shared, 0) as shared,
        coalesce(counted.lost_to_other, 0) as lost_to_other
    from pairs
    left join counted on pairs.audience = counted.audience and pairs.other = counted.other

)

select * from final
