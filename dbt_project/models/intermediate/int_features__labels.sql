with

named as (

    {% for prefix in ['avg', 'cnt'] %}
        select
            '{{ prefix }}_' || genre as feature,
            genre_label as feature_label
        from {{ ref('int_genres__columns') }}
        union all
    {% endfor %}
    select
        'genre_' || genre as feature,
        genre_label as feature_label
    from {{ ref('int_genres__vocabulary') }}
    where
        used_for = 'titles'
        and genre_column = genre
    union all
    select
        'language_' || language as feature,
        language_label as feature_label
    from {{ ref('int_languages__vocabulary') }}
    where language_column = language
    union all
    select
        'genre_other' as feature,
        'Another genre' as feature_label
    union all
    select
        'language_other' as feature,
        'Another language' as feature_label

),

final as (

    select
        feature,
        min(feature_label) as feature_label
    from named
    group by feature

)

select * from final
