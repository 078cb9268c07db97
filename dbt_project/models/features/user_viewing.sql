-- One pass over the events; what is a share stands as a sum until the end. Times of day are the viewer's own.
{% set devices = device_columns() %}
{% set dayparts = {'night': (0, 5), 'morning': (6, 11), 'afternoon': (12, 17), 'evening': (18, 23)} %}

with

watched as (

    select
        * exclude (minutes_watched, completion),
        {{ summable('minutes_watched') }} as minutes_watched,
        {{ summable('completion') }} as completion
    from {{ ref('int_views__watched') }}

),

devices as (

    select * from {{ ref('int_views__devices') }}

),

-- The minutes of a title of three genres are a third of each.
titles as (

    select
        title_row_id,
        {{ for_each_genre(
            'is_{genre} / nullif(' ~ for_each_genre('is_{genre}', separator=' +') ~ ', 0) as part_{genre}'
        ) }}
    from {{ ref('int_titles__with_genres') }}

),

newest as (

    select max(watched_at) as watched_at
    from watched

),

summed as (

    select
        watched.user_id,
        count(*) as views,
        sum(watched.minutes_watched) as minutes,
        count(distinct watched.movie_id) as titles,
        count(distinct cast(watched.watched_at as date)) as active_days,
        min(watched.watched_at) as first_watched_at,
        max(watched.watched_at) as last_watched_at,
        avg(watched.completion) as mean_completion,
        {% for daypart, (first_hour, last_hour) in dayparts.items() -%}
            sum(
                case
                    when watched.watched_hour between {{ first_hour }} and {{ last_hour }} then watched.minutes_watched
                    else 0
                end
            ) as minutes_{{ daypart }},
        {% endfor -%}
        sum(case when {{ iso_weekday('watched.watched_at') }} >= 6 then watched.minutes_watched else 0 end)
            as minutes_weekend,
        {% for device in devices -%}
            sum(case when devices.device_column = '{{ device }}' then watched.minutes_watched else 0 end)
                as device_minutes_{{ device }},
        {% endfor -%}
        {{ for_each_genre(
            'coalesce(sum(' ~ summable('watched.minutes_watched * titles.part_{genre}') ~ '), 0) as genre_minutes_{genre}'
        ) }}
    from watched
    inner join devices on watched.device = devices.device
    left join titles on watched.title_row_id = titles.title_row_id
    group by watched.user_id

),

shares as (

    select
        *,
        {{ for_each_genre(
            'coalesce(genre_minutes_{genre} / nullif(' ~ for_each_genre('genre_minutes_{genre}', separator=' +')
            ~ ', 0), 0) as genre_{genre}'
        ) }}
    from summed

),

final as (

    select
        ---------- ids
        shares.user_id,

        ---------- numbers
        shares.views,
        shares.minutes,
        shares.titles,
        shares.active_days,
        shares.minutes / shares.active_days as minutes_per_active_day,
        {{ dbt.datediff('shares.last_watched_at', 'newest.watched_at', 'day') }}
            as days_since_last,
        {{ dbt.datediff('shares.first_watched_at', 'newest.watched_at', 'day') }}
            as days_since_first,
        1 - shares.titles / shares.views as repeat_share,
        coalesce(shares.mean_completion, avg({{ summable('shares.mean_completion') }}) over (), 0) as mean_completion,
        greatest({{ for_each_genre('shares.genre_{genre}') }}) as top_genre_share,
        -({{ for_each_genre(
            'case when shares.genre_{genre} > 0 then shares.genre_{genre} * ln(shares.genre_{genre}) else 0 end',
            separator=' +'
        ) }}) as spread_over_genres,
        {% for daypart in dayparts -%}
            shares.minutes_{{ daypart }} / shares.minutes as daypart_{{ daypart }},
        {% endfor -%}
        shares.minutes_weekend / shares.minutes as weekend_share,
        {% for device in devices -%}
            shares.device_minutes_{{ device }} / shares.minutes as device_{{ device }},
        {% endfor -%}
        {{ for_each_genre('shares.genre_{genre}') }},

        ---------- flags
        case when shares.mean_completion is not null then 1 else 0 end as has_completion

    from shares
    cross join newest

)

select * from final
