select
    devices.user_id,
    sum(devices.events) as events
from {{ ref('user_devices') }} as devices
left join {{ ref('int_viewing__users') }} as listed on devices.user_id = listed.user_id
where listed.user_id is null
group by devices.user_id
