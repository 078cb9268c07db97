-- Spellings that differ by case or blanks are one device in the features: `TV` and `tv`.
with

watched as (

    select
        device,
        {{ snake_case('device') }} as device_name,
        sum({{ summable('minutes_watched') }}) as minutes
    from {{ ref('int_views__watched') }}
    group by device

),

named as (

    select
        device_name,
        row_number() over (order by sum(minutes) desc, device_name asc) as place
    from watched
    group by device_name

),

final as (

    select
        ---------- text
        watched.device,
        case when named.place <= {{ var('most_devices') }} then watched.device_name else 'other' end as device_column,

        ---------- numbers
        least(named.place, {{ var('most_devices') }} + 1) as column_position

    from watched
    inner join named on watched.device_name = named.device_name

)

select * from final
