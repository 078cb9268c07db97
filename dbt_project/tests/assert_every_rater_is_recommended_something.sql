-- Where nothing was recommended at all, the recommender was not trained, which its asset says.
select users.user_id
from {{ ref('user_genre_stats') }} as users
left join {{ ref('recommendations') }} as recommended on users.user_id = recommended.user_id
where
    recommended.user_id is null
    and exists (select 1 from {{ ref('recommendations') }})
