"""A published set of any size, made up: what the dashboard reads after a run at full scale, without the run.

    python benchmarks/published_set.py /tmp/full-set --users 270896 --titles 60946
    matinee dashboard --warehouse /tmp/full-set

Belongs here: rows of the right shape and number; their figures mean nothing. Does not belong here: what marts mean.
The same size gives the same set: every value is a hash of its key.
"""

import argparse
import time
from pathlib import Path

import duckdb

STAMP = "20260102T030405-0123abcd"
GENRES = [
    "Action",
    "Adventure",
    "Animation",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Family",
    "Fantasy",
    "Foreign",
    "History",
    "Horror",
    "Music",
    "Mystery",
    "Romance",
    "Science_Fiction",
    "Thriller",
    "TV_Movie",
    "War",
    "Western",
]
PERSONAS = (
    "Quiet Viewers (Churn Risk)",
    "New Explorers",
    "Expanding Enthusiasts",
    "Loyalists",
    "Premium Loyalists",
)
SEGMENTATIONS = ("user_ratings", "user_activity_and_ratings", "title_reception")
CLUSTERS = ("Praised by few", "Known to all", "Long and liked", "Short and shrugged at")
_PRELUDE = """
create macro h(a, b) as cast(hash(a, b) % 1000000 as bigint) / 1000000.0;
create macro genre_of(i) as list_extract($genres, 1 + cast(i % 20 as integer));
"""
_TABLES = {
    "titles": """
        select
            case when i < $titles * 3 / 4 then '' else 'c' end || i as title_id,
            case when i < $titles * 3 / 4 then 'movies' else 'streaming' end as catalogue,
            case
                when i = 1 then 'The <script>alert(1)</script> of "Nadia"'
                when i = 2 then '=HYPERLINK("http://example.com")'
                when i = 3 then 'L''Été & the [link](http://example.com) of $100$'
                else 'The ' || genre_of(i) || ' of Vell' || i
            end as title,
            case when i % 9 = 0 then 'series' else 'movie' end as kind,
            cast(1930 + i % 90 as integer) as release_year,
            cast(null as varchar) as runtime,
            70.0 + i % 90 as runtime_minutes,
            replace(genre_of(i) || ', ' || genre_of(i + 7), '_', ' ') as genres,
            'English' as languages,
            'USA' as countries,
            case when i % 11 > 0 then 30 + 60 * h(i, 1) end as audience_score,
            case when i % 3 = 0 then 30 + 60 * h(i, 2) end as critic_score,
            cast(100000 * pow(h(i, 3), 6) as bigint) as votes,
            40 + 40 * h(i, 4) as weighted_score,
            cast(60000 * pow(h(i, 5), 9) as bigint) as rating_count,
            1 + 3.5 * h(i, 6) as mean_rating
        from range(1, $titles + 1) as numbers(i)
    """,
    "segments": """
        select
            segmentation,
            cast(place - 1 as integer) as segment_id,
            segment_name,
            entity,
            case when segmentation = 'user_ratings' then 'Viewers of the kind ' || place end as audience,
            case when segmentation = 'user_ratings' then 'Lists of the kind ' || place end as content_strategy,
            case when segmentation = 'user_ratings' then 'Letters of the kind ' || place end as marketing_strategy,
            case when place = 1 then 'name as declared, not borne out here: total titles 300' end as name_doubt,
            case when place = 1 then 'Not sure to come back' else 'Comes back; foretells choices' end as badge,
            case when place = 1 then 'partly' else 'sure' end as badge_level,
            cast(size * (1.0 / count(*) over (partition by segmentation)) as bigint) as members,
            1.0 / count(*) over (partition by segmentation) as share
        from (
            select 'user_ratings' as segmentation, 'user_id' as entity, $users as size, unnest($personas)
                as segment_name, generate_subscripts($personas, 1) as place
            union all
            select 'user_activity_and_ratings', 'user_id', $users, unnest($personas) || ' II',
                generate_subscripts($personas, 1)
            union all
            select 'title_reception', 'title_id', $titles, unnest($clusters), generate_subscripts($clusters, 1)
        )
    """,
    "segmentations": """
        select segmentation, place, entity, segments, members, place = 1 as has_playbook,
            place = 1 as is_named_in_reasons
        from (
            select
                segmentation,
                cast(list_position($segmentations, segmentation) as integer) as place,
                entity,
                count(*) as segments,
                cast(sum(members) as bigint) as members
            from segments
            group by segmentation, entity
        )
    """,
    "segment_members": """
        select segmentation, cast(i as varchar) as entity_id, segment_id, segment_name,
            case when segmentation <> 'user_ratings' then if(i % 2 = 0, 'heavy', 'light') end as level
        from range(1, $users + 1) as numbers(i)
        inner join segments on segments.segment_id = cast(5 * h(i, segmentation) as integer) % 5
        where segments.entity = 'user_id'
        union all
        select segmentation, title_id, segment_id, segment_name, null
        from titles
        inner join segments on segments.segment_id = cast(4 * h(title_id, 1) as integer) % 4
        where segmentation = 'title_reception'
        order by 1, 2
    """,
    "segment_levels": """
        select segmentation, segment_id, level, 'total_titles' as feature, if(level = 'heavy', 3.0, null) as above,
            if(level = 'light', 3.0, null) as up_to, cast(members / 2 as bigint) as members, 0.5 as share
        from segments, (select unnest(['light', 'heavy']) as level)
        where entity = 'user_id' and segmentation <> 'user_ratings'
    """,
    "membership_history": """
        select segmentation, entity_id, (segment_id + 1) % 4 as segment_id, 'Once here' as segment_name,
            timestamp '2025-12-20 03:00:00' as entered_at, timestamp '2026-01-01 12:00:00' as left_at
        from segment_members
        where hash(entity_id) % 10 = 0
        union all
        select segmentation, entity_id, segment_id, segment_name,
            if(hash(entity_id) % 10 = 0, timestamp '2026-01-01 12:00:00', timestamp '2025-12-20 03:00:00'), null
        from segment_members
    """,
    "audiences": """
        select audience, 'Who is ' || audience as description, entity, priority, $users as everybody,
            cast($users / priority as bigint) as members, cast($users / 20 / priority as bigint) as held_out,
            1.0 / priority as share, cast($users / 2 as bigint) as members_before, 0.5 as share_before,
            if(priority = 2, 'nobody has the subscription ''Premum''; nearest: Premium', null) as warning,
            'select user_id from marts.users' as sql, 'abc' as salt
        from (values ('quiet_<b>', 'user_id', 1::integer), ('loyal', 'user_id', 2)) as rules(audience, entity, priority)
    """,
    "audience_members": """
        select audience, cast(id as varchar) as entity_id, id % 20 = 0 as held_out
        from audiences, range(1, $users + 1) as ids(id)
        where id % priority = 0
    """,
    "departure": """
        select
            cast(id as varchar) as user_id, 1.0 - id / ($users + 1) as score,
            cast(1 + (id - 1) * 10 // $users as integer) as decile, 'silent for 20 days' as reason,
            30::integer as horizon_days, date '2026-05-31' as as_of
        from range(1, $users + 1) as ids(id)
    """,
    "audience_waterfall": """
        select audience, cast(step as integer) as step, list_extract(['include', 'exclude', 'hold-out'], step) as side,
            list_extract(['everybody', 'subscription is <i>Basic', 'not held out'], step) as condition,
            cast($users / step as bigint) as kept,
            cast(if(step = 1, 0, $users / (step - 1) - $users / step) as bigint) as dropped
        from audiences, range(1, 4) as steps(step)
    """,
    "audience_overlap": """
        select one.audience, other.audience as other, 20::bigint as shared, 5::bigint as lost_to_other
        from audiences as one, audiences as other
        where one.audience <> other.audience
    """,
    "audience_history": """
        select audience, entity_id, timestamp '2025-12-20 03:00:00' as entered_at,
            if(entity_id = '2', timestamp '2026-01-01 12:00:00', null) as left_at
        from audience_members
    """,
    "k_metrics": """
        select
            segmentation,
            cast(k as integer) as k,
            1e6 / k as inertia,
            0.5 / k as silhouette,
            1e4 / k as calinski_harabasz,
            1.0 + k / 10 as davies_bouldin,
            cast(1000 / k as bigint) as size_min,
            cast(9000 / k as bigint) as size_max,
            k = 4 as is_elbow,
            k = count(*) over (partition by segmentation, k) as is_published,
            1 + k / 20 as lift,
            1 - k / 50 as bootstrap_ari
        from segments, range(2, 11) as ks(k)
        qualify row_number() over (partition by segmentation, k) = 1
    """,
    "segment_profiles": """
        select
            segmentation,
            segment_id,
            feature,
            feature as feature_label,
            'number' as kind,
            cast(null as varchar) as unit,
            feature = 'total_titles' as is_volume,
            10 * h(segment_id, feature) as segment_mean,
            5.0 as base_mean,
            200 * h(segment_id, feature) as index,
            190 * h(segment_id, feature) as index_low,
            210 * h(segment_id, feature) as index_high,
            not 100 between 190 * h(segment_id, feature) and 210 * h(segment_id, feature) as is_apart
        from segments, (
            select unnest(['total_ratings', 'total_titles']) as feature
            union all select 'avg_' || lower(unnest($genres))
            union all select 'cnt_' || lower(unnest($genres))
        )
    """,
    "segment_exemplars": """
        select segmentation, segment_id, cast(rank as integer) as rank, cast(rank as varchar) as entity_id,
            case when entity = 'title_id' then 'The <b>Drama</b>' end as title,
            case when entity = 'user_id' then 'The <b>Drama</b> (4.5); [War](http://example.com)' end as history,
            case when entity = 'user_id' then 12 else 0 end as titles
        from segments, range(1, 4) as ranks(rank)
    """,
    "segment_rules": """
        select segmentation, segment_id, case when segment_id > 0 then 'Drama above 20 %, not <b>War</b>' end as rule,
            case when segment_id > 0 then 0.8 end as precision, case when segment_id > 0 then 0.7 end as coverage,
            case when segment_id = 0 then 'no rule finds mostly its members' end as reason,
            0.8 as macro_f1, 0.75 as low, 0.85 as high
        from segments
    """,
    "segment_quality": """
        select segmentation, cast(null as integer) as segment_id, measure, value, value - 0.1 as low,
            value + 0.1 as high, null::varchar as beside, null::double as beside_random, 1.12 as beside_volume,
            null::double as beside_shuffled, 1.25 as threshold, value >= 1.25 as passed
        from (select distinct segmentation from segments),
            (values ('lift', 1.2), ('bootstrap_ari', 0.8)) as whole(measure, value)
        union all
        select segmentation, segment_id, measure, 0.9 + h(segment_id, measure) / 10, 0.8, 1.1,
            null, null, null, null, null, null
        from segments, (select unnest(['jaccard', 'lift']) as measure)
    """,
    "segment_promotions": """
        select distinct segmentation, 'abc' as version, 'refused' as status,
            'bootstrap_ari 0.52, 0.80 asked for' as reason, timestamp '2026-01-02 03:04:05' as decided_at
        from segments
        union all
        select distinct segmentation, 'aaa', 'promoted', null, timestamp '2026-01-01 03:04:05' from segments
    """,
    "segment_history": """
        select timestamp '2025-12-02 03:04:05' + to_months(cast(i as integer)) as happened_at,
            case when i = 1 and segment_id > 0 then 'kept' else 'born' end as kind, segment_id, segment_name,
            cast(null as integer) as from_id, cast(null as integer) as into_id, share, segmentation
        from segments, range(2) as refreshes(i)
    """,
    "segment_migration": """
        select one.segmentation, one.segment_id as from_segment_id, other.segment_id as to_segment_id,
            cast(one.members / (1 + 9 * abs(one.segment_id - other.segment_id)) as bigint) as entities,
            0.5 as share_of_from, one.segment_name as from_segment_name, other.segment_name as to_segment_name
        from segments as one inner join segments as other using (segmentation)
    """,
    "segment_genre_ratings": """
        select
            segmentation,
            segment_id,
            segment_name,
            lower(genre) as genre,
            members,
            cast(members * h(segment_id, genre) as bigint) as raters,
            h(segment_id, genre) as rater_share,
            5 * h(segment_id, genre) * h(genre, segmentation) as published_mean_rating,
            1 + 4 * h(genre, segmentation || segment_id) as rater_mean_rating
        from segments, (select unnest($genres) as genre)
        where entity = 'user_id'
    """,
    "segment_map": """
        select segmentation, k, segment_id, 'Group ' || (segment_id + 1) as segment_name, is_centre, pc1, pc2
        from (
            select
                segmentation,
                k,
                cast(i % k as integer) as segment_id,
                i <= k as is_centre,
                i % k + 2 * h(i, 8) as pc1,
                2 * h(i, 9) + i % 2 as pc2
            from (select distinct segmentation from segments), (select unnest([2, 5]) as k), range(1, 5006) as n(i)
        )
    """,
    "pca_loadings": """
        select segmentation, component, feature, h(feature, component) - 0.5 as loading,
            0.4 / component as explained_variance_ratio
        from (select distinct segmentation, feature from segment_profiles), (select unnest([1, 2]) as component)
    """,
    "genre_counts": """
        select lower(genre) as genre, replace(genre, '_', ' ') as genre_label,
            cast(4000 * h(genre, 1) as bigint) as catalogue_row_count, cast(4000 * h(genre, 1) as bigint) as title_count
        from (select unnest($genres) as genre)
    """,
    "genre_popularity": """
        select genre, genre_label, cast(1e6 * pow(h(genre, 2), 2) as bigint) + 1000 as ratings,
            cast($users * h(genre, 2) as bigint) as raters, 2.5 + h(genre, 3) as mean_rating,
            cast(1e5 * h(genre, 2) as bigint) as events, 1e6 * h(genre, 2) as minutes,
            cast($users * h(genre, 4) as bigint) as viewers
        from genre_counts
    """,
    "genre_rating_counts": """
        select genre, genre_label, i / 2.0 as rating, cast(1e5 * h(genre, i) as bigint) as ratings
        from genre_counts, range(1, 11) as steps(i)
    """,
    "recommendations": """
        select
            cast(i as varchar) as user_id,
            cast(rank as integer) as rank,
            title_id,
            title,
            genres,
            1.0 / rank as score,
            'because you rated ' || title as reason
        from (
            select i, rank, 1 + cast($titles * h(i, rank) as bigint) % $titles as place
            from range(1, $users + 1) as numbers(i), range(1, 21) as ranks(rank)
        )
        inner join (select *, row_number() over () as place from titles) using (place)
        order by user_id, rank
    """,
    "recommender_metrics": """
        select model, metric, 0.1 + 0.4 * h(model, metric) as value, model = 'blend' as is_default,
            model like '%popular' as is_baseline
        from (select unnest(['blend', 'ease', 'als', 'popular']) as model),
            (select unnest(['ndcg', 'genre_match', 'coverage']) as metric)
    """,
    "similar_titles": """
        select
            own.title_id,
            cast(rank as integer) as rank,
            near.title_id as similar_title_id,
            own.title,
            near.title as similar_title,
            0.9 / rank as similarity,
            case when rank > 12 then 'content' else 'ratings' end as basis
        from (
            select *, 1 + (row_number() over () + rank * rank) % $titles as place
            from titles, range(1, 21) as ranks(rank)
        ) as own
        inner join (select *, row_number() over () as place from titles) as near using (place)
        order by own.title_id, rank
    """,
    "title_audience": """
        select segmentation, title_id, segment_id, segment_name, title, members,
            cast(members * h(title_id, segment_id) as bigint) as raters, h(title_id, segment_id) as rater_share,
            0.5 as base_share, 200 * h(title_id, segment_id) as raw_index, 0.2 as audience_share,
            0.1 + 0.2 * h(segment_id, 8) as activity_share, 20 / activity_share as index, 0.8 * index as index_low,
            1.2 * index as index_high, 1 + 4 * h(title_id, 7) as mean_rating
        from titles, segments
        where entity = 'user_id' and catalogue = 'movies'
        order by title_id, segmentation, segment_id
    """,
    "segment_titles": """
        select segmentation, segment_id, segment_name, cast(rank as integer) as rank, title_id, title, genres,
            cast(100 as bigint) as raters, 0.2 as rater_share, 0.1 as base_share, 200.0 as index,
            150.0 as index_low, 260.0 as index_high, 200.0 as raw_index
        from segments, range(1, 16) as ranks(rank)
        inner join (select *, row_number() over () as place from titles) on place = rank
        where entity = 'user_id'
    """,
    "users": """
        select
            cast(i as varchar) as user_id,
            list_extract(['Basic', 'Standard', 'Premium'], 1 + cast(i % 3 as integer)) as subscription,
            list_extract(['USA', 'India', 'UK', 'Canada'], 1 + cast(i % 4 as integer)) as region,
            date '2010-01-01' + cast(i % 3000 as integer) as joined_on, cast(null as date) as ended_on,
            cast(1 + 900 * pow(h(i, 1), 5) as bigint) as total_ratings,
            1 + 4 * h(i, 2) as mean_rating,
            cast(100 * h(i, 3) as bigint) as events,
            6000 * h(i, 3) as minutes,
            'Drama, Comedy, War' as favourite_genres,
            'TV' as favourite_device
        from range(1, $users + 1) as numbers(i)
        order by user_id
    """,
    "user_devices": """
        select user_id, device, cast(20 * h(user_id, device) as bigint) as events, 900 * h(user_id, device) as minutes,
            h(user_id, device) as share
        from users, (select unnest(['TV', 'Mobile', 'Desktop', 'Tablet']) as device)
        where h(device, user_id) < 0.7
        order by user_id, device
    """,
    "user_genres": """
        select user_id, genre, genre_label, cast(1 + 30 * h(user_id, genre) as bigint) as ratings,
            h(user_id, genre) as share, 1 + 4 * h(genre, user_id) as mean_rating
        from users, genre_counts
        where h(user_id, genre) < 0.5
        order by user_id, genre
    """,
    "segment_devices": """
        select segmentation, segment_id, segment_name, device, cast(1000 * h(segment_id, device) as bigint) as events,
            h(segment_id, device) as share, 200 * h(segment_id, device) as index
        from segments, (select unnest(['TV', 'Mobile', 'Desktop', 'Tablet']) as device)
        where entity = 'user_id'
    """,
    "weekly_activity": """
        select date '2025-01-06' + 7 * cast(w as integer) as week, device, cast(900 * h(w, device) as bigint) as events,
            90000 * h(w, device) as minutes, cast(500 * h(w, device) as bigint) + 40 as users
        from range(60) as weeks(w), (select unnest(['TV', 'Mobile', 'Desktop', 'Tablet']) as device)
    """,
    "viewing_hours": """
        select cast(d as integer) as weekday, cast(t as integer) as hour, cast(900 * h(d, t) as bigint) as events
        from range(1, 8) as days(d), range(24) as hours(t)
    """,
    "subscription_regions": """
        select subscription, region, count(*) as users, avg(total_ratings) as mean_ratings, sum(minutes) as minutes,
            avg(minutes) as mean_minutes
        from users
        group by all
    """,
    "strategic_recommendations": """
        select cast(i as integer) as rank, 'topic ' || i as topic, 'Do this: it is ' || i || ' times as good.'
                as sentence,
            '{}' as figures, 'users' as source
        from range(1, 8) as numbers(i)
    """,
    "data_funnel": """
        select 1 as step_order, 'titles' as entity, 'distinct titles' as step, $titles as row_count
        union all select 2, 'ratings', 'ratings joined to a title', $users * 96
        union all select 3, 'users', 'users with features', $users
    """,
    "landing_manifest": """
        select 'ratings' as table_name, 'ratings.csv' as source, 'abc' as sha256, 709550327 as bytes,
            $users * 96 as rows_read, $users * 96 - 3 as rows_landed, 3 as rows_rejected,
            timestamp '2026-01-02 03:00:00' as landed_at
    """,
    "run_ledger": """
        select 'run ' || i as run, stage,
            timestamp '2026-01-02 03:00:00' - to_days(cast(i as integer)) + to_seconds(place) as started_at,
            'finished' as outcome, place * (1 + i / 10) as seconds, place * 1.5 as cpu_seconds,
            $users * 1000 * place as peak_bytes, $users * 96 as rows_in, $users * 9 as rows_out,
            case when place = 1 then 709550327 end as bytes_in, null::bigint as bytes_out
        from range(0, 9) as runs(i), (
                select unnest(['landing', 'dbt before ML', 'train user_ratings', 'judge user_ratings',
                    'place user_ratings', 'list recommender', 'gather', 'dbt after ML', 'draw audience', 'publish',
                    'report']) as stage, unnest(range(1, 12)) as place
            )
        where i > 0 or stage not in ('publish', 'report')
    """,
    "rejects": """
        select 'ratings.csv' as source, 'ratings' as table_name, i as line,
            'rating: expected 0.5 to 5, got ''' || i || '''' as reason, '=1+1,<b>' || i as raw_text,
            false as is_known_quirk
        from range(1, 4) as numbers(i)
    """,
    "runs": """
        select 'run ' || i as run_id, 'refresh' as job, case when i = 2 then 'failure' else 'published' end as status,
            'demo' as source, timestamp '2026-01-02 03:00:00' - to_days(cast(i as integer)) as started_at,
            timestamp '2026-01-02 03:02:00' - to_days(cast(i as integer)) as ended_at, 100 as checks,
            0 as failed_checks, 10 as not_applicable_checks, 'user_ratings 0123' as models
        from range(5) as numbers(i)
    """,
    "checks": """
        select 'marts' as layer, 'titles' as table_name, 'rule_' || i as check_name,
            case when i = 1 then 'failed' when i > 90 then 'not_applicable' else 'passed' end as outcome,
            'warn' as severity, false as is_blocking, cast(null as varchar) as description
        from range(1, 101) as numbers(i)
    """,
    "customer_discovery": """
        select region, channel, region as region_label, channel as channel_label,
            cast(10 + 400 * h(region, channel) as bigint) as customers, h(region, channel) as region_share,
            0.5 as base_share, 200 * h(region, channel) as index
        from (select unnest(['Here', 'There']) as region), (select unnest(['Search', 'Friend', 'Video']) as channel)
    """,
    "customer_channels": """
        select channel, channel_label, cast(sum(customers) as bigint) as customers, 0.3 as share,
            900.0 as mean_minutes_watched, 300.0 as median_minutes_watched, 800.0 as mean_minutes_without_largest,
            0.02 as never_watched_share, 120.0 as mean_clv, 100 * h(channel, 1) as median_clv
        from customer_discovery
        group by channel, channel_label
    """,
    "start_agreement": """
        select segmentation, 5 as k, 'kmeans' as method, false as is_anchored, 1.0 as inertia, 1.0 as free_inertia,
            30 as starts, 0.7 as best_start_share, 0.86 as start_agreement, 1.0 as free_agreement,
            cast(null as bigint) as left_rule, cast(null as integer) as ward_k, cast(null as integer) as ward_rows
        from (select distinct segmentation from segments)
    """,
    "segment_claims": """
        select segmentation, segment_id, segment_name, 'total_titles' as feature, 3.0 as segment_mean, 2.0 as base_mean,
            2.5 as interval_low, 3.5 as interval_high, 3.0 as mean_without_largest, segment_id > 0 as is_supported,
            case when segment_id > 0 then segment_name || ': more titles' end as sentence,
            case when segment_id = 0 then 'the interval includes the mean of all' end as reason
        from segments
    """,
    "departure_quality": """
        select *, null::double as threshold, null::boolean as passed
        from (values
            ('auc', 0.8, 0.7, null::double, null::double), ('auc_gain', 0.1, null, 0.05, 0.15),
            ('average_precision', 0.3, 0.2, null, null), ('top_decile_lift', 4.0, 3.0, null, null),
            ('calibration_error', 0.01, 0.02, null, null), ('mean_score', 0.5, 0.5, null, null),
            ('departed_share', 0.5, null, null, null), ('judged_users', 500.0, null, null, null)
        ) as figures(measure, value, beside, low, high)
    """,
    "departure_groups": """
        select segmentation, segment_name as group_name, count(*) as members, count(score) as scored,
            avg(score) as mean_score, stddev_samp(score) as deviation,
            (select avg(score) from departure) as base_score, count(*) filter (decile = 1) as top_decile
        from segment_members left join departure on user_id = entity_id
        where segmentation in (select segmentation from segmentations where entity = 'user_id')
        group by segmentation, segment_name
    """,
}


def write_published_set(warehouse: Path, *, users: int, titles: int, stamp: str = STAMP) -> Path:
    """Write a set as a run publishes it and return its folder.

    Parameters
    ----------
    warehouse
        A folder; `published` in it comes to point to the set.
    users, titles
        How many; a fourth of the titles is in the streaming catalogue, rated by nobody here.
    stamp
        Name of the set's folder.
    """
    folder = warehouse / "published.d" / stamp
    folder.mkdir(parents=True)
    given = {
        "users": users,
        "titles": titles,
        "genres": GENRES,
        "personas": list(PERSONAS),
        "clusters": list(CLUSTERS),
        "segmentations": list(SEGMENTATIONS),
    }
    with duckdb.connect() as connection:
        for name, value in given.items():
            connection.execute(f"set variable {name} = $value", {"value": value})
        for statement in _with_variables(_PRELUDE).strip().split(";\n"):
            connection.execute(statement.rstrip(";"))
        for table, sql in _TABLES.items():
            connection.execute(f"create table {table} as {_with_variables(sql)}")
            _decimals_to_doubles(connection, table)
            connection.execute(
                f"copy {table} to '{folder}/{table}.parquet' (format parquet, compression zstd)"
            )
    link = warehouse / ".published"
    link.symlink_to(folder.relative_to(warehouse))
    link.replace(warehouse / "published")
    return folder


def _decimals_to_doubles(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    """Make doubles of what a literal like 0.5 made decimals: marts have none."""
    columns = connection.execute(f"describe {table}").fetchall()
    for column, kind, *_ in columns:
        if kind.startswith("DECIMAL"):
            connection.execute(f"alter table {table} alter {column} type double")


def _with_variables(sql: str) -> str:
    for name in ("users", "titles", "genres", "personas", "clusters", "segmentations"):
        sql = sql.replace(f"${name}", f"getvariable('{name}')")
    return sql


def main() -> None:
    """Write the set and say how long it took."""
    parser = argparse.ArgumentParser(description="Write a made-up published set of any size.")
    parser.add_argument("warehouse", type=Path)
    parser.add_argument("--users", type=int, default=270_896)
    parser.add_argument("--titles", type=int, default=60_946)
    asked = parser.parse_args()
    started = time.perf_counter()
    folder = write_published_set(asked.warehouse, users=asked.users, titles=asked.titles)
    size = sum(file.stat().st_size for file in folder.iterdir())
    print(f"{folder}: {size / 1e6:,.0f} MB in {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
