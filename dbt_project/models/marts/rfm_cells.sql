with

users as (

    select * from {{ ref('user_rfm') }}

),

final as (

    select
        ---------- text
        cell,
        max(value_unit) as value_unit,

        ---------- numbers
        count(*) as users,
        count(*) / sum(count(*)) over () as share,
        avg(recency_days) as mean_recency_days,
        avg(frequency) as mean_frequency,
        avg({{ summable('value') }}) as mean_value

    from users
    group by cell

)

select
    cell,
    value_unit,
    users,
    share,
    mean_recency_days,
    mean_frequency,
    mean_value
from final
