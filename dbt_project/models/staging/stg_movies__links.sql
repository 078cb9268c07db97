-- Where no links have landed, ratings and titles use the same ids: each title is linked to itself.
with

source as (

    select * from {{ last_arrived(source('movies', 'links'), ['rated_id']) }}

),

same_ids as (

    select distinct title_id
    from {{ last_arrived(source('movies', 'titles'), ['title_id']) }}
    where not exists (select 1 from source)

),

renamed as (

    select
        ---------- ids
        rated_id as movie_id,
        title_id,
        {{ imdb_number('imdb_id') }} as imdb_number

    from source

    union all

    select
        title_id as movie_id,
        title_id,
        cast(null as bigint) as imdb_number
    from same_ids

)

select * from renamed
