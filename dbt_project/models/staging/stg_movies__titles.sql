with

source as (

    select * from {{ last_arrived(source('movies', 'titles'), ['title_id']) }}

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
        case when lower(kind) like '%series%' or lower(kind) like '%show%' then 'series' else 'movie' end as kind,

        ---------- numbers
        runtime_minutes,
        popularity,
        vote_average,
        vote_count,

        ---------- times
        -- Of a title with a year alone, its first day.
        coalesce(
            release_date,
            case
                when release_year between 1000 and 9999 then cast(cast(release_year as varchar) || '-01-01' as date)
            end
        ) as release_date

    from source

)

select * from renamed
