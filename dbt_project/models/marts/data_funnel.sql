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
    ('listed users', 'lines of users read', 'users_read'),
    ('listed users', 'lines of users landed', 'users_landed'),
    ('listed users', 'users listed', 'users_listed'),
    ('watch events', 'watch events read', 'events_read'),
    ('watch events', 'watch events landed', 'events_landed'),
    ('watch events', 'watch events that count as viewing', 'events_watched'),
    ('watch events', 'watch events of listed users', 'events_of_listed_users'),
    ('watch events', 'watch events of movies in links', 'events_linked'),
    ('watch events', 'watch events joined to a title', 'events_joined'),
    ('streaming titles', 'lines of the streaming catalogue read', 'streaming_rows_read'),
    ('streaming titles', 'lines of the streaming catalogue landed', 'streaming_rows_landed'),
    ('streaming titles', 'streaming titles', 'streaming_titles'),
    ('streaming titles', 'streaming titles with an audience score', 'streaming_titles_scored'),
] %}
-- The first step of each entity is above 0 when its file landed, and its steps are shown then.
-- What needs something else beside: genres at all, a file of users.
{% set needs = {'catalogue_rows_with_genre': 'catalogue_rows_with_genre', 'events_of_listed_users': 'users_read'} %}
{% set first_steps = {
    'titles': 'catalogue_rows_read', 'ratings': 'ratings_read', 'users': 'ratings_read', 'customers': 'customers_read',
    'listed users': 'users_read', 'watch events': 'events_read',
    'streaming titles': 'streaming_rows_read'
} %}

with

manifest as (

    select
        sum(case when table_name = 'titles' then rows_read else 0 end) as catalogue_rows_read,
        sum(case when table_name = 'titles' then rows_landed else 0 end) as catalogue_rows_landed,
        sum(case when table_name = 'ratings' then rows_read else 0 end) as ratings_read,
        sum(case when table_name = 'ratings' then rows_landed else 0 end) as ratings_landed,
        sum(case when table_name = 'customers' then rows_read else 0 end) as customers_read,
        sum(case when table_name = 'customers' then rows_landed else 0 end) as customers_landed,
        sum(case when table_name = 'users' then rows_read else 0 end) as users_read,
        sum(case when table_name = 'users' then rows_landed else 0 end) as users_landed,
        sum(case when table_name = 'views' then rows_read else 0 end) as events_read,
        sum(case when table_name = 'views' then rows_landed else 0 end) as events_landed,
        sum(case when table_name = 'catalogue' then rows_read else 0 end) as streaming_rows_read,
        sum(case when table_name = 'catalogue' then rows_landed else 0 end) as streaming_rows_landed
    from {{ source('landing', 'manifest') }}

),

titles as (

    select
        sum(case when {{ for_each_genre('is_{genre}', separator=' +') }} > 0 then 1 else 0 end)
            as catalogue_rows_with_genre,
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

listed_users as (

    select count(*) as users_listed
    from {{ ref('int_viewing__users') }}

),

viewers as (

    select sum(devices.events) as events_of_listed_users
    from {{ ref('user_devices') }} as devices
    inner join {{ ref('int_viewing__users') }} as listed on devices.user_id = listed.user_id

),

watched as (

    select
        sum(event_count) as events_watched,
        sum(case when is_linked then event_count else 0 end) as events_linked,
        sum(case when title_row_id is not null then event_count else 0 end) as events_joined
    from {{ ref('int_viewing__titles') }}

),

streaming as (

    select
        count(*) as streaming_titles,
        sum(case when has_audience_score then 1 else 0 end) as streaming_titles_scored
    from {{ ref('int_titles__described') }}
    where catalogue = 'streaming'

),

counts as (

    select
        manifest.*,
        titles.*,
        movies.*,
        users.*,
        customers.*,
        listed_users.*,
        viewers.*,
        watched.*,
        streaming.*
    from manifest
    cross join titles
    cross join movies
    cross join users
    cross join customers
    cross join listed_users
    cross join viewers
    cross join watched
    cross join streaming

),

final as (

    {% for entity, step, count in steps %}
        select
            cast({{ loop.index }} as integer) as step_order,
            '{{ entity }}' as entity,
            '{{ step }}' as step,
            cast(coalesce({{ count }}, 0) as bigint) as row_count
        from counts
        where {{ first_steps[entity] }} > 0{{ ' and ' ~ needs[count] ~ ' > 0' if count in needs }}
        {{ "union all" if not loop.last }}
    {% endfor %}
)

select * from final
