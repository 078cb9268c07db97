select
    recommended.user_id,
    recommended.title_id
from {{ ref('recommendations') }} as recommended
inner join {{ ref('title_descriptions') }} as titles on recommended.title_id = titles.title_key
inner join {{ ref('user_interactions') }} as rated
    on
        recommended.user_id = rated.user_id
        and titles.title_id = rated.title_id
