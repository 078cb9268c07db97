-- A day on which nothing can have been released is none: after the service showed the title, after the file came, or
-- before there was film. What the file states is kept beside it, for it still tells two lines apart.
with

source as (

    select * from {{ last_arrived(source('catalogue', 'catalogue'), ['catalogue_id']) }}

),

runtimes as (

    select * from {{ ref('runtimes') }}

),

cleaned as (

    select
        source.*,
        {{ repaired_mojibake('source.title') }} as repaired_title,
        coalesce(
            source.release_date > source.shown_since
            or source.release_date > {{ landed_on('catalogue') }}
            or source.release_date < {{ first_film_day() }},
            false
        ) as is_release_date_impossible
    from source

),

renamed as (

    select
        ---------- ids
        cleaned.catalogue_id,

        ---------- text
        trim(coalesce(cleaned.repaired_title, cleaned.title)) as title,
        lower(trim(cleaned.kind)) as kind,
        cleaned.genres as genres_text,
        cleaned.languages as languages_text,
        cleaned.countries as countries_text,
        cleaned.tags,
        cleaned.director,
        cleaned.writer,
        cleaned.actors,
        cleaned.view_rating,
        cleaned.production_house,
        cleaned.overview,
        runtimes.runtime,

        ---------- numbers
        runtimes.estimated_minutes as runtime_minutes,
        cleaned.imdb_score,
        cleaned.rotten_tomatoes_score,
        cleaned.metacritic_score,
        cleaned.hidden_gem_score,
        cleaned.imdb_votes,
        cleaned.awards_received,
        cleaned.awards_nominated_for,
        try_cast(replace(replace(cleaned.boxoffice, '$', ''), ',', '') as double) as boxoffice_usd,

        ---------- times
        case when not cleaned.is_release_date_impossible then cleaned.release_date end as release_date,
        cleaned.release_date as stated_release_date,
        cleaned.shown_since,

        ---------- flags
        cleaned.repaired_title is not null as is_title_repaired,
        cleaned.is_release_date_impossible

    from cleaned
    left join runtimes on trim(cleaned.runtime) = runtimes.raw_label

)

select * from renamed
