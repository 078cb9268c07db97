-- A film of movies_metadata has one language, the original one; a title of the streaming service all that are spoken.
with

labels as (

    select * from {{ ref('language_labels') }}

),

listed as (

    select
        title_key as title_id,
        original_language as raw_label
    from {{ ref('int_titles__with_genres') }}
    where is_first_of_title
    union all
    select
        title_id,
        {{ unnest_list('languages_text') }} as raw_label
    from {{ ref('int_catalogue__titles') }}

),

final as (

    select distinct
        listed.title_id,
        coalesce(labels.language, {{ snake_case('listed.raw_label') }}) as language,
        coalesce(labels.language_label, listed.raw_label) as language_label
    from listed
    left join labels on listed.raw_label = labels.raw_label
    -- "None" is a silent film's, xx TMDB's code of no language.
    where listed.raw_label not in ('', 'None', 'xx')

)

select * from final
