-- A title that no catalogue lists with a genre is one all the same, without a row of its own.
with

movies as (

    select
        movie_id,
        title_id,
        cast(title_row_id as integer) as title_row_id
    from {{ ref('int_movies__titles') }}
    union all
    select
        movie_id,
        title_id,
        null as title_row_id
    from {{ ref('int_titles__unlisted') }}
    where
        title_id is not null
        and ratings > 0

),

placed as (

    select
        *,
        row_number() over (partition by title_id order by movie_id asc) as place
    from movies

)

select * from placed
