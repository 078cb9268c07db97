with

titles as (

    select * from {{ ref('int_titles__weighted') }}

),

genres as (

    select * from {{ ref('int_titles__genres') }}

),

final as (

    select
        ---------- ids
        titles.catalogue,
        genres.genre_label,

        ---------- numbers
        {{ score_aggregates() }}

    from titles
    inner join genres on titles.title_id = genres.title_id
    group by titles.catalogue, genres.genre_label

)

select * from final
