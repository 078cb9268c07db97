with

labels as (

    select * from {{ ref('int_titles__labels') }}

),

named as (

    select
        labels.title_id,
        labels.genre
    from labels
    inner join {{ ref('int_titles__with_genres') }} as titles on labels.title_row_id = titles.title_row_id
    where titles.is_first_of_title
    union
    select
        title_id,
        genre
    from labels
    where catalogue = 'streaming'

),

final as (

    select
        named.title_id,
        named.genre,
        genres.genre_label
    from named
    inner join {{ ref('int_genres__vocabulary') }} as genres
        on
            named.genre = genres.genre
            and genres.used_for = 'titles'
            and not genres.is_set_aside

)

select * from final
