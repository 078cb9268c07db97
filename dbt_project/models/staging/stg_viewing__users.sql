with

source as (

    select * from {{ source('viewing', 'users') }}

),

renamed as (

    select
        ---------- ids
        user_id,

        ---------- text
        nullif(trim(subscription), '') as subscription,
        nullif(trim(region), '') as region,

        ---------- times
        joined_on

    from source

)

select * from renamed
