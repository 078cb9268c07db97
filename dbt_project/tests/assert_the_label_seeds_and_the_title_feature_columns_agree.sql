-- Also: each label of `genres` is one of `genre_labels`, with the same genre.
{% set columns = {'genre': var('title_genres'), 'language': var('title_languages')} %}

with

held as (

    {% for kind, names in columns.items() %}
        {% for name in names %}
            select
                '{{ kind }}' as kind,
                '{{ name }}' as column_name
            {{ 'union all' if not loop.last }}
        {% endfor %}
        {{ 'union all' if not loop.last }}
    {% endfor %}

),

named as (

    select distinct
        'genre' as kind,
        genre as column_name
    from {{ ref('genre_labels') }}
    union all
    select distinct
        'language' as kind,
        language as column_name
    from {{ ref('language_labels') }}

),

disagreeing as (

    select
        coalesce(held.kind, named.kind) as kind,
        coalesce(held.column_name, named.column_name) as column_name
    from held
    full outer join named
        on
            held.kind = named.kind
            and held.column_name = named.column_name
    where
        held.kind is null
        or named.kind is null

),

without_label as (

    select
        'label' as kind,
        genres.genre_label as column_name
    from {{ ref('genres') }} as genres
    left join {{ ref('genre_labels') }} as labels
        on
            genres.genre_label = labels.raw_label
            and genres.genre = labels.genre
            and genres.genre_label = labels.genre_label
    where labels.raw_label is null

)

select * from disagreeing
union all
select * from without_label
