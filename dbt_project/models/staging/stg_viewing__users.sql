with

source as (

    select * from {{ last_arrived(source('viewing', 'users'), ['user_id']) }}

),

renamed as (

    select
        ---------- ids
        user_id,

        ---------- text
        nullif(trim(subscription), '') as subscription,
        nullif(trim(region), '') as region,

        ---------- times
        joined_on,
        ended_on

    from source

)

select * from renamed
