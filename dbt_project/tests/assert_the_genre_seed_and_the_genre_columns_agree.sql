with

columns_of_genres as (

    {{ for_each_genre("select '{genre}' as genre", separator=' union all') }}

)

select
    seed.genre as in_seed,
    columns_of_genres.genre as in_columns
from {{ ref('genres') }} as seed
full outer join columns_of_genres on seed.genre = columns_of_genres.genre
where
    seed.genre is null
    or columns_of_genres.genre is null
