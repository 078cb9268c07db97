-- The one place where what a catalogue says of a title's genres becomes rows.
with

known as (

    select
        genre,
        genre_label,
        {{ snake_case('raw_label') }} as spelling
    from {{ ref('genre_labels') }}

),

movies as (

    select
        'movies' as catalogue,
        title_row_id,
        title_key as title_id,
        {{ unnest_python_names('genres_literal') }} as raw_label
    from {{ ref('int_titles__rows') }}

),

streaming as (

    select
        'streaming' as catalogue,
        cast(null as bigint) as title_row_id,
        title_id,
        {{ unnest_list('genres_text') }} as raw_label
    from {{ ref('int_catalogue__titles') }}

),

listed as (

    select
        *,
        {{ snake_case('raw_label') }} as spelling
    from (
        select * from movies
        union all
        select * from streaming
    ) as labels
    -- MovieLens writes so of a title without a genre.
    where trim(raw_label) not in ('', '(no genres listed)')

),

final as (

    select distinct
        listed.catalogue,
        listed.title_row_id,
        listed.title_id,
        coalesce(known.genre, listed.spelling) as genre,
        coalesce(known.genre_label, trim(listed.raw_label)) as genre_label,
        known.genre is not null as is_known
    from listed
    left join known on listed.spelling = known.spelling

)

select * from final
