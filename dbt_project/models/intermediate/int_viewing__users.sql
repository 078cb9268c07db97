-- A subscription that changed is a new line, so of several lines of one user the one of the latest day counts.
with

users as (

    select * from {{ ref('stg_viewing__users') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by user_id
            order by
                joined_on desc nulls last,
                subscription asc nulls last,
                region asc nulls last,
                ended_on desc nulls first
        ) as recency
    from users

),

final as (

    select
        ---------- ids
        user_id,

        ---------- text
        subscription,
        region,

        ---------- times
        joined_on,
        ended_on

    from ranked
    where recency = 1

)

select * from final
