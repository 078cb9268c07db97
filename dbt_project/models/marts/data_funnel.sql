-- Every count comes from a table that is already small: the funnel never goes back to the 26 M ratings.
{% set steps = [
    ('titles', 'catalogue rows read', 'catalogue_rows_read'),
    ('titles', 'catalogue rows landed', 'catalogue_rows_landed'),
    ('titles', 'catalogue rows with a valid genre', 'catalogue_rows_with_genre'),
    ('titles', 'distinct titles', 'distinct_titles'),
    ('ratings', 'ratings read', 'ratings_read'),
    ('ratings', 'ratings landed', 'ratings_landed'),
    ('ratings', 'ratings joined to a title', 'ratings_joined'),
    ('ratings', 'distinct pairs of user and title', 'user_title_pairs'),
    ('users', 'users with features', 'users_with_features'),
    ('customers', 'customers read', 'customers_read'),
    ('customers', 'customers landed', 'customers_landed'),
    ('customers', 'customers with features', 'customers_with_features'),
] %}
-- The first step of each entity is above 0 when its file landed, and its steps are shown then.
{% set first_steps = {
    'titles': 'catalogue_rows_read', 'ratings': 'ratings_read', 'users': 'ratings_read', 'customers': 'customers_read'
} %}

with

manifest as (

    select
        sum(case when table_name = 'titles' then rows_read else 0 end) as catalogue_rows_read,
        sum(case when table_name = 'titles' then rows_landed else 0 end) as catalogue_rows_landed,
        sum(case when table_name = 'ratings' then rows_read else 0 end) as ratings_read,
        sum(case when table_name = 'ratings' then rows_landed else 0 end) as ratings_landed,
        sum(case when table_name = 'customers' then rows_read else 0 end) as customers_read,
        sum(case when table_name = 'customers' then rows_landed else 0 end) as customers_landed
    from {{ source('landing', 'manifest') }}

),

titles as (

    select
        count(*) as catalogue_rows_with_genre,
        count(distinct title_id) as distinct_titles
    from {{ ref('int_titles__with_genres') }}

),

movies as (

    select sum(rating_count) as ratings_joined
    from {{ ref('int_movies__titles') }}

),

users as (

    select
        sum(total_titles) as user_title_pairs,
        count(*) as users_with_features
    from {{ ref('user_genre_stats') }}

),

customers as (

    select count(*) as customers_with_features
    from {{ ref('customer_features') }}

),

counts as (

    select
        manifest.*,
        titles.*,
        movies.*,
        users.*,
        customers.*
    from manifest
    cross join titles
    cross join movies
    cross join users
    cross join customers

),

final as (

    {% for entity, step, count in steps %}
        select
            cast({{ loop.index }} as integer) as step_order,
            '{{ entity }}' as entity,
            '{{ step }}' as step,
            cast(coalesce({{ count }}, 0) as bigint) as row_count
        from counts
        where {{ first_steps[entity] }} > 0
        {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from final
