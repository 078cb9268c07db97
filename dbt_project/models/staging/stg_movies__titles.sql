with

source as (

    select * from {{ source('movies', 'titles') }}

),

renamed as (

    select
        ---------- ids
        title_id,
        {{ imdb_number('imdb_id') }} as imdb_number,

        ---------- text
        title,
        original_language,
        {{ names_as_literal('genres') }} as genres_literal,
        overview,

        ---------- numbers
        runtime_minutes,
        popularity,
        vote_average,
        vote_count,

        ---------- times
        release_date

    from source

)

select * from renamed
