with

source as (

    select * from {{ source('movies', 'links') }}

),

renamed as (

    select
        ---------- ids
        movie_id,
        tmdb_id as title_id,
        {{ imdb_number('imdb_id') }} as imdb_number

    from source

)

select * from renamed
