-- The scale is what the source's ratings show: half stars to 5, or 1 to 10.
with

scale as (

    select
        min(rating) as lowest,
        max(rating) as highest
    from {{ ref('stg_movies__ratings') }}

)

select users.user_id
from {{ ref('user_genre_stats') }} as users
cross join scale
where
    {{ for_each_genre('(cnt_{genre} = 0 and avg_{genre} <> 0)', separator=' or') }}
    or {{ for_each_genre(
        '(cnt_{genre} > 0 and round(avg_{genre}, 9) not between lowest and highest)', separator=' or'
    ) }}
