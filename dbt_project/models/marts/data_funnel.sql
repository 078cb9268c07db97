-- Every count comes from a table that is already small: the funnel never goes back to the 26 M ratings.
with

manifest as (

    select
        sum(case when table_name = 'titles' then rows_read else 0 end) as catalogue_rows_read,
        sum(case when table_name = 'titles' then rows_landed else 0 end) as catalogue_rows_landed,
        sum(case when table_name = 'ratings' then rows_read else 0 end) as ratings_read,
        sum(case when table_name = 'ratings' then rows_landed else 0 end) as ratings_landed
    from {{ source('landing', 'manifest') }}

),

titles as (

    select
        count(*) as catalogue_rows_with_genre,
        count(distinct title_id) as titles
    from {{ ref('int_titles__with_genres') }}

),

movies as (

    select sum(rating_count) as ratings_joined
    from {{ ref('int_movies__titles') }}

),

users as (

    select
        sum(total_titles) as user_title_pairs,
        count(*) as users
    from {{ ref('user_genre_stats') }}

),

steps as (

    select
        1 as step_order,
        'titles' as entity,
        'catalogue rows read' as step,
        catalogue_rows_read as row_count
    from manifest
    union all
    select
        2,
        'titles',
        'catalogue rows landed',
        catalogue_rows_landed
    from manifest
    union all
    select
        3,
        'titles',
        'catalogue rows with a valid genre',
        catalogue_rows_with_genre
    from titles
    union all
    select
        4,
        'titles',
        'distinct titles',
        titles
    from titles
    union all
    select
        5,
        'ratings',
        'ratings read',
        ratings_read
    from manifest
    union all
    select
        6,
        'ratings',
        'ratings landed',
        ratings_landed
    from manifest
    union all
    select
        7,
        'ratings',
        'ratings joined to a title',
        ratings_joined
    from movies
    union all
    select
        8,
        'ratings',
        'distinct pairs of user and title',
        user_title_pairs
    from users
    union all
    select
        9,
        'users',
        'users with features',
        users
    from users

),

final as (

    select
        cast(step_order as integer) as step_order,
        entity,
        step,
        cast(coalesce(row_count, 0) as bigint) as row_count
    from steps

)

select * from final
