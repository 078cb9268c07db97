"""The dbt project on made-up rows: what it builds, and what it refuses."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import CUSTOMERS, PROJECT, RATINGS, TITLES, VIEWING, Outcome, Warehouse, land_made_up_rows

KEY_MEANING = "a_movie_and_its_title_have_the_same_imdb_number"
SOMEBODY_IS_LEFT = "assert_at_least_one_user_remains_after_the_join"
WITHOUT_UNIT_TESTS = ("--exclude-resource-type", "unit_test")
EACH_USER_ONCE = "assert_every_user_has_exactly_one_segment_per_segmentation"

ML_ROWS = (
    "insert into ml.k_metrics values ('user_ratings', 2, 10.0, 0.2, 5.0, 1.1, 1, 1, true, true, null, null)",
    "insert into ml.segments values "
    "('user_ratings', 0, 'Quiet Viewers (Churn Risk)', 'user_id', 'features.user_genre_stats'), "
    "('user_ratings', 1, 'Loyalists', 'user_id', 'features.user_genre_stats')",
    "insert into ml.segment_words values "
    "('user_ratings', 0, 'Few', 'A list', 'A letter', 'too many', 'Comes back', 'sure'), "
    "('user_ratings', 1, 'Many', 'A list', 'A letter', null, 'Comes back', 'sure')",
    "insert into ml.segment_exemplars values ('user_ratings', '1', 1, 1)",
    "insert into ml.segment_members values ('user_ratings', '1', 1, 'Loyalists', 'heavy'), "
    "('user_ratings', '2', 0, 'Quiet Viewers (Churn Risk)', 'light')",
    "insert into ml.segment_profiles values ('user_ratings', 0, 'avg_war', 0.0, 1.0, 0.0, 'War (mean)', 'number', "
    "null, null, null, false, false)",
    "insert into ml.pca_loadings values ('user_ratings', 1, 'avg_war', 0.4, 0.6)",
    "insert into ml.free_segments values ('user_ratings', 4, 2, 1, 1)",
    "insert into ml.segment_levels values ('user_ratings', 1, 'heavy', 'titles', 20.0, null, 1, 1.0)",
    "insert into ml.segment_claims values "
    "('user_ratings', 0, 'avg_war', 0.0, 1.0, -0.1, 0.1, 0.0, true, 'They rate no war films.', null)",
)

FED_BY_ML = {
    "audience_lift",
    "departure",
    "departure_groups",
    "departure_quality",
    "catalogue_picks",
    "k_metrics",
    "segments",
    "segment_members",
    "segment_levels",
    "segment_profiles",
    "segment_rules",
    "segment_exemplars",
    "segment_quality",
    "segment_promotions",
    "segment_history",
    "segment_migration",
    "membership_history",
    "segment_genre_ratings",
    "pca_loadings",
    "start_agreement",
    "free_segments",
    "segment_separation",
    "segment_claims",
    "segment_devices",
    "segment_unfinished",
    "segment_genres",
    "segmentations",
    "most_active_members",
    "segment_activity",
    "segment_subscriptions",
    "strategic_recommendations",
    "segment_map",
    "segment_titles",
    "title_audience",
    "recommendations",
    "recommender_long_tail",
    "recommender_metrics",
    "recommender_segment_ndcg",
    "similar_titles",
    "audiences",
    "audience_members",
    "audience_waterfall",
    "audience_overlap",
    "audience_history",
}
# Of advice, what is said of segments and recommenders; the rest follows from ratings, viewing and the catalogue alone.
ADVICE_FED_BY_ML = {
    "advice_activity",
    "advice_customers",
    "advice_recommender",
    "advice_segment_devices",
    "advice_segment_genres",
    "advice_segment_titles",
    "advice_upgrades",
}


@pytest.fixture(scope="module")
def first_build(make_warehouse: Callable[..., Warehouse]) -> tuple[Warehouse, Outcome]:
    """A warehouse after a `dbt build` of everything, unit tests too, before any ML ran, and what it did.

    Movies have landed and nothing else.
    """
    warehouse = make_warehouse(rejected_ratings=2)
    outcome = warehouse.dbt("build")
    assert outcome.success, outcome.message
    return warehouse, outcome


@pytest.fixture(scope="module")
def built(first_build: tuple[Warehouse, Outcome]) -> Warehouse:
    """The warehouse after it. Tests read it, or write to a copy."""
    return first_build[0]


@pytest.mark.long
def test_the_command_that_a_newcomer_types_works_alone(make_warehouse: Callable[..., Warehouse]) -> None:
    """`dbt build` in dbt_project/, as a process of its own that parses the project itself."""
    warehouse = make_warehouse(rejected_ratings=2)
    places = {"DBT_TARGET_PATH": "target", "DBT_LOG_PATH": "logs"}
    ran = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build"],
        cwd=PROJECT,
        env=os.environ
        | {"MATINEE_WAREHOUSE": str(warehouse.folder)}
        | {name: str(warehouse.folder / folder) for name, folder in places.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_dbt_build_leaves_the_ml_marts_empty(built: Warehouse) -> None:
    tables = built.query("select table_name from information_schema.tables where table_schema = 'marts'")
    assert {name for (name,) in tables} == {
        *FED_BY_ML,
        *("rejects", "landing_manifest", "data_funnel", "genre_counts", "genres"),
        *("interaction_basis", "unlisted_titles", "run_ledger"),
        *("customer_channels", "customer_discovery", "feature_labels"),
        *("genre_popularity", "genre_rating_counts", "user_genres"),
        *("titles", "weighted_score_constants", "catalogue_trends", "catalogue_genres", "catalogue_runtimes"),
        *("users", "user_devices", "devices", "subscription_regions", "weekly_activity", "viewing_hours"),
        "rfm_cells",
    }
    for mart in FED_BY_ML:
        assert built.query(f"select count(*) from marts.{mart}") == [(0,)]


def test_what_users_rated_is_read_as_it_lies_and_joined_to_nothing(built: Warehouse) -> None:
    # Nine models and every step of ML read it: a join or a ranking here would be done as often.
    ((_, plan),) = built.query("explain select * from features.user_interactions")
    assert "int_ratings__last" in plan
    assert not {"join", "window", "group"} & set(plan.lower().replace("_", " ").split())


def test_movies_alone_leave_the_tables_of_customers_and_of_viewing_empty(built: Warehouse) -> None:
    customers = ("features.customer_features", "marts.customer_channels", "marts.customer_discovery")
    viewing = ("user_devices", "devices", "weekly_activity", "viewing_hours", "subscription_regions")
    for table in (*customers, *(f"marts.{mart}" for mart in viewing)):
        assert built.query(f"select count(*) from {table}") == [(0,)]
    raters = "select user_id, subscription, events, favourite_genres from marts.users order by 1"
    assert built.query(raters) == [(1, None, 0, "Comedy, Drama, War"), (2, None, 0, "Comedy")]


def test_nothing_is_warned_of_where_movies_alone_have_landed(
    first_build: tuple[Warehouse, Outcome],
) -> None:
    assert first_build[1].with_status("warn") == set()


def test_the_schemas_are_the_layers(built: Warehouse) -> None:
    found = built.query("select distinct table_schema from information_schema.tables")
    assert {schema for (schema,) in found} == {
        *(
            "landing",
            "seeds",
            "staging",
            "intermediate",
            "features",
            "ml",
            "advice",
            "marts",
            "state",
            "ledger",
        ),
    }


def test_a_users_stats_are_over_the_last_rating_of_each_title(built: Warehouse) -> None:
    stats = built.query(
        "select user_id, total_ratings, total_titles, cnt_drama, avg_drama, cnt_comedy, avg_comedy, avg_war "
        "from features.user_genre_stats order by user_id"
    )
    assert stats == [(1, 3, 2, 1, 2.0, 1, 3.0, 2.0), (2, 1, 1, 0, 0.0, 1, 4.5, 0.0)]


def test_the_features_have_columns_for_the_genres_that_titles_have_and_no_others(built: Warehouse) -> None:
    described = built.query("select column_name, column_type from (describe features.user_genre_stats)")
    assert described[:3] == [("user_id", "BIGINT"), ("total_ratings", "BIGINT"), ("total_titles", "BIGINT")]
    assert described[3:] == [
        *((f"cnt_{genre}", "BIGINT") for genre in ("comedy", "drama", "war")),
        *((f"avg_{genre}", "DOUBLE") for genre in ("comedy", "drama", "war")),
        ("mean_rating", "DOUBLE"),
    ]


def test_features_that_lack_the_column_of_a_genre_fail_their_contract(built: Warehouse) -> None:
    contract = "every_genre_has_a_count_and_a_mean"
    assert built.dbt("test", "--select", contract).success
    built.execute("alter table features.user_genre_stats rename cnt_war to cnt_peace")
    assert built.dbt("test", "--select", contract).with_status("fail") == {contract}
    built.execute(
        "alter table features.user_genre_stats rename cnt_peace to cnt_war",
        "update features.user_genre_stats set cnt_war = null where user_id = 1",
    )
    assert built.dbt("test", "--select", contract).with_status("fail") == {contract}
    assert built.dbt("run", "--select", "user_genre_stats").success


def test_the_funnel_shows_where_rows_are_lost(built: Warehouse) -> None:
    steps = built.query("select entity, row_count from marts.data_funnel order by step_order")
    assert steps == [
        *(("titles", 4), ("titles", 4), ("titles", 3), ("titles", 2)),
        *(("ratings", 8), ("ratings", 6), ("ratings", 4), ("ratings", 3)),
        ("users", 2),
    ]


def test_rejects_reach_the_marts_with_their_reason(built: Warehouse) -> None:
    assert built.query("select line, reason from marts.rejects order by line") == [
        (2, "no number"),
        (3, "no number"),
    ]


def test_the_marts_fill_once_ml_has_written_its_tables(built: Warehouse, tmp_path: Path) -> None:
    filled = built.copy(tmp_path)
    filled.execute(*ML_ROWS)
    outcome = filled.dbt("build", "--select", "source:ml+", *WITHOUT_UNIT_TESTS)
    assert outcome.success, outcome.with_status("fail", "error")
    segments = filled.query(
        "select segment_name, members, share, content_strategy from marts.segments order by 1"
    )
    assert [row[:3] for row in segments] == [("Loyalists", 1, 0.5), ("Quiet Viewers (Churn Risk)", 1, 0.5)]
    assert all(row[3] for row in segments)
    comedy = (
        "select segment_id, published_mean_rating from marts.segment_genre_ratings where genre = 'comedy'"
    )
    assert sorted(filled.query(comedy)) == [(0, 4.5), (1, 3.0)]
    assert filled.query("select nearest_segment_name from marts.free_segments") == [("Loyalists",)]
    assert filled.query("select segment_name from marts.segment_claims") == [("Quiet Viewers (Churn Risk)",)]


def test_ml_output_that_breaks_its_contract_is_refused(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy(tmp_path)
    warehouse.execute(
        *ML_ROWS,
        "insert into ml.segment_members values ('user_ratings', '1', 0, 'Loyalists', null)",
        "update ml.segment_members set entity_id = '7' where entity_id = '2'",
        "insert into ml.segment_claims by name "
        "select 'user_ratings' as segmentation, 1 as segment_id, 'avg_war' as feature, false as is_supported",
    )
    refused = warehouse.dbt("test", "--select", "source:ml").with_status("fail")
    assert refused == {
        "source_is_unique_together_ml_segment_members_segmentation__entity_id",
        "assert_a_claim_has_a_sentence_or_the_reason_why_not",
    }
    warehouse.dbt("run", "--select", "segments", "segment_members")
    assert warehouse.dbt("test", "--select", EACH_USER_ONCE).with_status("fail") == {EACH_USER_ONCE}


def test_the_direct_join_is_refused_before_features_are_built(
    make_warehouse: Callable[..., Warehouse],
) -> None:
    warehouse = make_warehouse()
    direct = ("--vars", "rating_join: direct", *WITHOUT_UNIT_TESTS)
    refused = warehouse.dbt("build", "--select", "+user_genre_stats", *direct)
    assert refused.status[KEY_MEANING] == "fail"
    assert refused.status["user_genre_stats"] == "skipped"


def test_a_replication_keeps_every_row_of_the_direct_join(make_warehouse: Callable[..., Warehouse]) -> None:
    """Beside viewing, whose movies find their titles through links as ever."""
    warehouse = make_warehouse(**VIEWING)
    direct = ("--vars", "rating_join: direct", *WITHOUT_UNIT_TESTS)
    outcome = warehouse.dbt("build", "--selector", "sql_layer_of_a_replication", *direct)
    assert outcome.success, outcome.message
    stats = warehouse.query(
        "select user_id, total_ratings, total_titles, cnt_drama, cnt_war, cnt_comedy from "
        "features.user_genre_stats order by user_id"
    )
    assert stats == [(1, 4, 2, 2, 1, 2), (2, 2, 1, 2, 1, 0)]


def test_a_join_of_which_too_little_can_be_compared_does_not_pass(
    make_warehouse: Callable[..., Warehouse],
) -> None:
    titles = [*TITLES, "(44, 'tt0000012', 'Dew', ['War'], 1)"]
    links = ["(11, null, 22)", "(22, 'unknown', 11)", "(12, '0000012', 44)"]
    warehouse = make_warehouse(links=links, titles=titles)
    outcome = warehouse.dbt("build", "--select", "+int_movies__titles", *WITHOUT_UNIT_TESTS)
    assert outcome.status[KEY_MEANING] == "fail"


def test_a_join_without_a_second_id_goes_on_and_is_said_to_be_unjudged(
    make_warehouse: Callable[..., Warehouse],
) -> None:
    warehouse = make_warehouse(links=["(11, null, 22)", "(22, null, 11)"])
    outcome = warehouse.dbt("build", "--select", "+int_movies__titles", *WITHOUT_UNIT_TESTS)
    assert (outcome.status[KEY_MEANING], outcome.status["links_to_titles_can_be_judged"]) == ("pass", "warn")


def test_links_that_lead_to_other_titles_are_refused(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(links=["(11, '0000011', 11)", "(22, '0000099', 22)"])
    outcome = warehouse.dbt("build", "--select", "+int_movies__titles", *WITHOUT_UNIT_TESTS)
    assert outcome.status[KEY_MEANING] == "fail"


def test_a_run_that_is_left_without_users_says_so(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(ratings=RATINGS[-1:])
    outcome = warehouse.dbt("build", "--select", "+user_genre_stats", *WITHOUT_UNIT_TESTS)
    assert outcome.status[SOMEBODY_IS_LEFT] == "fail"
    assert outcome.status["user_genre_stats"] == "skipped"


def test_customers_alone_build_everything_and_pass_every_test(customers_warehouse: Warehouse) -> None:
    outcome = customers_warehouse.dbt("build", *WITHOUT_UNIT_TESTS)
    assert outcome.success, outcome.with_status("fail", "error")
    assert outcome.with_status("warn") == {"a_customer_stands_on_one_line_of_the_file"}
    features = customers_warehouse.query(
        "select customer_id, minutes_watched, has_watched, region, channel, segment_rule "
        "from features.customer_features order by customer_id"
    )
    assert features == [
        ("1", 30.0, 1, 0, "friend", "Friends' Influence"),
        ("2", 12.0, 1, 2, "google", "Google-YouTube Mix"),
        ("3", 0.0, 0, 1, "instagram", "Instagram Explorers"),
    ]
    assert customers_warehouse.query(
        "select entity, row_count from marts.data_funnel order by step_order"
    ) == [
        ("customers", 4),
        ("customers", 4),
        ("customers", 3),
    ]
    assert customers_warehouse.query("select count(*) from features.user_genre_stats") == [(0,)]


def test_a_manifest_that_does_not_add_up_is_refused(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse(rejected_ratings=1)
    (warehouse.folder / "landing" / "candidate" / "rejects" / "made_up.parquet").rename(
        warehouse.folder / "landing" / "candidate" / "rejects" / "kept.parquet"
    )
    kept = f"read_parquet('{warehouse.folder}/landing/candidate/rejects/kept.parquet')"
    warehouse.execute(
        f"copy (select * from {kept} union all select * from {kept}) "
        f"to '{warehouse.folder}/landing/candidate/rejects/more.parquet'"
    )
    outcome = warehouse.dbt("build", "--select", "+landing_manifest+", *WITHOUT_UNIT_TESTS)
    assert outcome.with_status("fail") == {"assert_the_landing_holds_the_rows_its_manifest_counts"}


def test_a_warehouse_reads_its_own_landing_though_its_name_is_a_pattern_that_fits_another(
    tmp_path: Path, manifest: Any
) -> None:
    for name, customers in (("of [56]", CUSTOMERS[:1]), ("of 5", CUSTOMERS), ("it's", CUSTOMERS[:2])):
        land_made_up_rows(tmp_path / name, {"customers": customers})
    for name, rows in (("of [56]", 1), ("it's", 2)):
        warehouse = Warehouse(tmp_path / name, manifest)
        outcome = warehouse.dbt("seed", "--select", "regions")
        assert outcome.success, outcome.message
        assert warehouse.query("select count(*) from landing.customers") == [(rows,)]


def test_a_missing_landing_is_explained_with_the_command_to_run(empty_warehouse: Warehouse) -> None:
    outcome = empty_warehouse.dbt("build")
    assert not outcome.success
    assert "Nothing has landed" in outcome.message
    assert "matinee run" in outcome.message
    assert str(empty_warehouse.folder) in outcome.message


def test_a_way_to_join_that_does_not_exist_is_refused(make_warehouse: Callable[..., Warehouse]) -> None:
    warehouse = make_warehouse()
    misspelt = ("--vars", "rating_join: drect", *WITHOUT_UNIT_TESTS)
    outcome = warehouse.dbt("build", "--select", "+int_movies__titles", *misspelt)
    assert outcome.with_status("error") == {"int_movies__titles"}
    assert "rating_join is 'drect'; it must be 'links'" in outcome.message


def test_the_sql_layer_is_all_that_no_ml_output_feeds(empty_warehouse: Warehouse) -> None:
    listed = set(empty_warehouse.ls("--selector", "sql_layer", "--resource-type", "model"))
    everything = set(empty_warehouse.ls("--resource-type", "model"))
    assert everything - listed == FED_BY_ML | ADVICE_FED_BY_ML
