-- A deletion takes away what was said before it: by time where both have one, else by arrival. Deletions are read from
-- the source by themselves: named once for both, DuckDB would keep a copy of all 26 million rows.
with

source as (

    select * from {{ source('movies', 'ratings') }}

),

deletions as (

    select
        user_id,
        title_id,
        max(case when rated_at is null then arrival end) as last_arrival,
        max(rated_at) as last_at,
        arg_max(arrival, {{ precedence('rated_at', 'arrival', 0, 0) }}) as arrival_of_last
    from {{ source('movies', 'ratings') }}
    where is_deleted
    group by user_id, title_id

),

kept as (

    select source.*
    from source
    left join deletions
        on
            source.user_id = deletions.user_id
            and source.title_id = deletions.title_id
    where
        source.is_deleted is not true
        and coalesce(source.arrival > deletions.last_arrival, true)
        and (
            deletions.last_at is null
            or coalesce(source.rated_at > deletions.last_at, false)
            or coalesce(source.rated_at = deletions.last_at and source.arrival > deletions.arrival_of_last, false)
        )

),

renamed as (

    select
        ---------- ids
        user_id,
        title_id as movie_id,

        ---------- numbers
        rating,
        arrival,

        ---------- times
        rated_at

    from kept

)

select * from renamed
