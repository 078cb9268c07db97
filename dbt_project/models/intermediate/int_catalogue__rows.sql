-- Lines that state one name and one IMDb record (release day, score and votes) are one title, shown elsewhere or from
-- another day on, whether a line calls it Series or Movie. Where no record tells that two lines mean one work, the
-- director and the kind must agree too.
with

stated as (

    select
        *,
        try_cast(catalogue_id as bigint) as id_number,
        case
            when imdb_score is null and imdb_votes is null and stated_release_date is null
                then coalesce(director, '') || '|' || kind
            else ''
        end as else_told_apart_by
    from {{ ref('stg_catalogue__titles') }}

),

-- An id that stands on several lines is one title, of which the line shown first counts.
ranked as (

    select
        *,
        row_number() over (
            partition by catalogue_id
            order by {{ first_shown() }}
        ) as place_in_id
    from stated

),

grouped as (

    select
        *,
        first_value(catalogue_id) over (
            partition by lower(title), stated_release_date, imdb_score, imdb_votes, else_told_apart_by
            order by shown_since asc nulls last, id_number asc nulls last, catalogue_id asc
            rows between unbounded preceding and unbounded following
        ) as standing_id
    from ranked
    where place_in_id = 1

),

final as (

    select
        ---------- ids
        ranked.catalogue_id,
        ranked.place_in_id,
        'c' || grouped.standing_id as title_id,

        ---------- text
        ranked.kind,
        ranked.countries_text,

        ---------- flags
        ranked.place_in_id = 1 and ranked.catalogue_id = grouped.standing_id as is_first_of_title

    from ranked
    inner join grouped on ranked.catalogue_id = grouped.catalogue_id

)

select * from final
