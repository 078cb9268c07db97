-- Users rate films alone, and segments of titles hold both catalogues: two vocabularies of the same labels. A share is
-- one of a catalogue's titles, so that a large catalogue drowns no genre of a small one.
with

labels as (

    select * from {{ ref('int_titles__labels') }}

),

catalogues as (

    select
        catalogue,
        count(distinct title_id) as titles
    from labels
    group by catalogue

),

counted as (

    select
        labels.catalogue,
        labels.genre,
        max(labels.is_known) as is_known,
        count(distinct labels.title_id) as titles,
        count(distinct labels.title_id) / max(catalogues.titles) as title_share
    from labels
    inner join catalogues on labels.catalogue = catalogues.catalogue
    group by labels.catalogue, labels.genre

),

-- Spellings that differ by case or punctuation are one genre, which is called what most titles call it.
spellings as (

    select
        genre,
        genre_label,
        row_number() over (partition by genre order by count(*) desc, genre_label asc) as place
    from labels
    group by genre, genre_label

),

used as (

    select
        'users' as used_for,
        *
    from counted
    where catalogue = 'movies'
    union all
    select
        'titles' as used_for,
        *
    from counted

),

judged as (

    select
        used.used_for,
        used.genre,
        max(spellings.genre_label) as genre_label,
        sum(used.titles) as titles,
        max(used.title_share) as title_share,
        not max(used.is_known) and max(used.title_share) < {{ var('genre_least_share') }} as is_set_aside
    from used
    inner join spellings
        on
            used.genre = spellings.genre
            and spellings.place = 1
    group by used.used_for, used.genre

),

ranked as (

    select
        *,
        row_number() over (partition by used_for, is_set_aside order by titles desc, genre asc) as title_rank
    from judged

),

columns_given as (

    select
        *,
        {{ column_or_other('genre', 'title_rank', var('most_genres'), is_none='is_set_aside') }} as genre_column
    from ranked

),

final as (

    select
        ---------- ids
        used_for,
        genre,

        ---------- text
        genre_label,
        genre_column,

        ---------- numbers
        cast(titles as bigint) as titles,
        title_share,
        title_rank,
        dense_rank() over (
            partition by used_for order by {{ column_place('genre_column', var('published_genres')) }}
        ) as column_position,

        ---------- flags
        is_set_aside

    from columns_given

)

select * from final
