-- Of a catalogue that has genres a row without one is a broken line; one that has none at all is kept.
with

titles as (

    select * from {{ ref('int_titles__rows') }}

),

genres as (

    select
        genre,
        genre_column
    from {{ ref('int_genres__vocabulary') }}
    where
        used_for = 'users'
        and not is_set_aside

),

valid_genres as (

    select
        labels.title_row_id,
        {{ for_each_genre("max(case when genres.genre_column = '{genre}' then 1 else 0 end) as is_{genre}") }}
    from {{ ref('int_titles__labels') }} as labels
    inner join genres on labels.genre = genres.genre
    where labels.catalogue = 'movies'
    group by labels.title_row_id

),

labelled as (

    select count(*) as titles
    from valid_genres

),

final as (

    select
        ---------- ids
        titles.title_row_id,
        titles.title_id,
        titles.title_key,
        titles.imdb_number,

        ---------- text
        titles.title,
        titles.original_language,
        titles.overview,
        titles.kind,

        ---------- numbers
        titles.runtime_minutes,
        titles.vote_average,
        titles.vote_count,

        ---------- times
        titles.release_date,

        ---------- flags
        titles.title_row_id = min(titles.title_row_id) over (partition by titles.title_id) as is_first_of_title,
        {{ for_each_genre('cast(coalesce(valid_genres.is_{genre}, 0) as tinyint) as is_{genre}') }}

    from titles
    cross join labelled
    left join valid_genres on titles.title_row_id = valid_genres.title_row_id
    where
        valid_genres.title_row_id is not null
        or labelled.titles = 0

)

select * from final
