with

rows_of_titles as (

    select * from {{ ref('int_catalogue__rows') }}

),

counted as (

    select
        title_id,
        count(*) as row_count,
        min(kind) <> max(kind) as is_of_both_kinds
    from rows_of_titles
    group by title_id

),

countries as (

    select distinct
        title_id,
        {{ unnest_list('countries_text') }} as country
    from rows_of_titles

),

country_lists as (

    select
        title_id,
        {{ dbt.listagg('country', "', '", 'order by country') }} as countries
    from countries
    where country <> ''
    group by title_id

),

-- The rows of an id are told apart again as in int_catalogue__rows.
standing as (

    select
        *,
        row_number() over (
            partition by catalogue_id
            order by {{ first_shown() }}
        ) as place_in_id
    from {{ ref('stg_catalogue__titles') }}

),

final as (

    select
        ---------- ids
        rows_of_titles.title_id,
        standing.catalogue_id,

        ---------- text
        standing.title,
        standing.kind,
        standing.genres_text,
        standing.languages_text,
        country_lists.countries,
        standing.tags,
        standing.director,
        standing.writer,
        standing.actors,
        standing.overview,
        standing.runtime,

        ---------- numbers
        counted.row_count,
        standing.runtime_minutes,
        standing.imdb_score,
        standing.rotten_tomatoes_score,
        standing.metacritic_score,
        standing.imdb_votes,

        ---------- times
        standing.release_date,
        standing.shown_since,

        ---------- flags
        standing.is_title_repaired,
        standing.is_release_date_impossible,
        counted.is_of_both_kinds

    from rows_of_titles
    inner join standing
        on
            rows_of_titles.catalogue_id = standing.catalogue_id
            and standing.place_in_id = 1
    inner join counted on rows_of_titles.title_id = counted.title_id
    left join country_lists on rows_of_titles.title_id = country_lists.title_id
    where rows_of_titles.is_first_of_title

)

select * from final
