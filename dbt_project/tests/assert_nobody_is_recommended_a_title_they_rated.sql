select
    recommended.user_id,
    recommended.title_id
from {{ ref('recommendations') }} as recommended
inner join {{ ref('user_interactions') }} as rated
    on
        recommended.user_id = rated.user_id
        and recommended.title_id = cast(rated.title_id as varchar)
