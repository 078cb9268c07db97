with

titles as (

    select * from {{ ref('int_catalogue__titles') }}

),

genre_lists as (

    select
        title_id,
        {{ dbt.listagg('genre_label', "'|'", 'order by genre_label') }} as genres
    from {{ ref('int_titles__genres') }}
    group by title_id

),

named_people as (

    {% for column in ['director', 'writer', 'actors'] %}
        select
            title_id,
            {{ unnest_list(column) }} as person
        from titles
        {{ 'union' if not loop.last }}
    {% endfor %}

),

people_lists as (

    select
        title_id,
        {{ dbt.listagg('person', "'|'", 'order by person') }} as people
    from named_people
    where person <> ''
    group by title_id

),

named_tags as (

    select distinct
        title_id,
        {{ unnest_list('tags') }} as tag
    from titles

),

tag_lists as (

    select
        title_id,
        {{ dbt.listagg('tag', "'|'", 'order by tag') }} as tags
    from named_tags
    where tag <> ''
    group by title_id

),

final as (

    select
        ---------- ids
        titles.title_id,

        ---------- text
        titles.title,
        genre_lists.genres,
        tag_lists.tags,
        people_lists.people,
        titles.overview

    from titles
    left join genre_lists on titles.title_id = genre_lists.title_id
    left join tag_lists on titles.title_id = tag_lists.title_id
    left join people_lists on titles.title_id = people_lists.title_id

)

select * from final
