-- The members are summed in the wide table and turned into rows afterwards: a few segments to unpivot, not every user.
with

members as (

    {{ user_members() }}

),

users as (

    select * from {{ ref('int_interactions__user_genres') }}

),

genres as (

    select * from {{ ref('int_genres__columns') }}

),

summed as (

    select
        members.segmentation,
        members.segment_id,
        members.segment_name,
        count(*) as members,
        {{ for_each_genre('sum(users.avg_{genre}) as sum_{genre}') }},
        {{ for_each_genre('sum(case when users.cnt_{genre} > 0 then 1 else 0 end) as raters_{genre}') }},
        {{ for_each_genre('count(users.avg_{genre}) as judges_{genre}') }},
        {{ for_each_genre('avg(users.cnt_{genre} / users.total_titles) as share_{genre}') }},
        {{ for_each_genre('stddev_samp(users.cnt_{genre} / users.total_titles) as deviation_{genre}') }}
    from members
    inner join users on members.user_id = users.user_id
    group by members.segmentation, members.segment_id, members.segment_name

),

by_genre as (

    select
        summed.segmentation,
        summed.segment_id,
        summed.segment_name,
        genres.genre,
        summed.members,
        {{ column_of_genre('summed.sum_{genre}') }} as mean_sum,
        {{ column_of_genre('summed.raters_{genre}') }} as raters,
        {{ column_of_genre('summed.judges_{genre}') }} as judges,
        {{ column_of_genre('summed.share_{genre}') }} as genre_share,
        {{ column_of_genre('summed.deviation_{genre}') }} as genre_share_deviation
    from summed
    cross join genres

),

final as (

    select
        ---------- ids
        segmentation,
        segment_id,
        segment_name,
        genre,

        ---------- numbers
        cast(members as bigint) as members,
        cast(raters as bigint) as raters,
        raters / members as rater_share,
        {{ 'cast(null as double)' if interaction_basis() == 'views' else 'coalesce(mean_sum, 0) / members' }}
            as published_mean_rating,
        mean_sum / nullif(judges, 0) as rater_mean_rating,
        genre_share,
        genre_share_deviation

    from by_genre

)

select * from final
