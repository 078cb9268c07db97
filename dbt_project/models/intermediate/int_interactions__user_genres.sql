-- Where ratings alone count these are the features of ratings, which took one pass over 26 M rows.
-- depends_on: {{ ref('user_genre_stats') }}, {{ ref('user_interactions') }}, {{ ref('int_titles__with_genres') }}
{{ config(materialized='view' if interaction_basis() == 'ratings' else 'table') }}

with

{% if interaction_basis() == 'ratings' %}
    final as (

        select
            user_id,
            total_ratings,
            total_titles,
            {{ for_each_genre('cnt_{genre}') }},
            {{ for_each_genre('case when cnt_{genre} > 0 then avg_{genre} end as avg_{genre}') }}
        from {{ ref('user_genre_stats') }}

    )
{% else %}
    titles as (

        select
            title_id,
            {{ for_each_genre('is_{genre}') }}
        from {{ ref('int_titles__with_genres') }}
        where is_first_of_title

    ),

    final as (

        select
            interactions.user_id,
            count(*) as total_ratings,
            count(*) as total_titles,
            {{ for_each_genre('cast(sum(titles.is_{genre}) as bigint) as cnt_{genre}') }},
            {{ for_each_genre('avg(case when titles.is_{genre} = 1 then interactions.rating end) as avg_{genre}') }}
        from {{ ref('user_interactions') }} as interactions
        inner join titles on interactions.title_id = titles.title_id
        group by interactions.user_id

    )
{% endif %}

select * from final
