"""Rules that the whole asset graph keeps."""

from datetime import timedelta

import dagster as dg
import pytest

from ingest.contracts import CONTRACTS
from orchestration.assets.landing import ARRIVALS, KNOWN_REJECTS
from orchestration.definitions import build_defs
from orchestration.tools.warehouse import POOL


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs()


@pytest.fixture(scope="module")
def specs(defs) -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}


@pytest.fixture(scope="module")
def graph(defs):
    return defs.resolve_asset_graph()


def test_every_asset_says_what_it_is_who_owns_it_and_where_it_belongs(specs):
    for name, spec in specs.items():
        assert spec.description, name
        assert spec.owners, name
        assert spec.group_name not in (None, "default"), name
        assert spec.kinds, name


def test_an_asset_key_is_its_layer_and_its_table(specs):
    assert all(len(spec.key.path) == 2 for spec in specs.values())


def test_nothing_is_orphaned(graph):
    raw = {key for key in graph.get_all_asset_keys() if key.path[0] in ("raw", "seeds")}
    report = dg.AssetKey(["published", "report"])
    ids = dg.AssetKey(["landing", "ids"])  # for the next landing, which numbers known ids as before
    for key in graph.get_all_asset_keys():
        if key not in raw:
            assert graph.get(key).parent_keys, f"{key} has nothing upstream"
        leaf_is_meant = key in (report, ids, ARRIVALS) or key.path[0] in ("published", "seeds", "exports")
        assert graph.get(key).child_keys or leaf_is_meant, f"nobody uses {key}"


def ancestors_of(graph, key: dg.AssetKey) -> set[dg.AssetKey]:
    found, waiting = set(), {key}
    while waiting:
        waiting = set().union(*(graph.get(one).parent_keys for one in waiting)) - found
        found |= waiting
    return found


def test_lineage_runs_from_the_raw_file_to_the_plot_and_the_report(graph):
    for target in (["user_ratings", "plots"], ["published", "report"]):
        ancestors = ancestors_of(graph, dg.AssetKey(target))
        assert dg.AssetKey(["raw", "ratings"]) in ancestors
        assert dg.AssetKey(["raw", "titles"]) in ancestors


@pytest.mark.parametrize(
    ("upstream", "downstream"),
    [
        (["raw", "ratings"], ["landing", "ratings"]),
        (["landing", "ratings"], ["staging", "stg_movies__ratings"]),
        (["features", "user_genre_stats"], ["user_ratings", "k_metrics"]),
        (["user_ratings", "members"], ["ml", "segment_members"]),
        (["ml", "segment_members"], ["marts", "segment_members"]),
        (["marts", "segment_members"], ["published", "tables"]),
        (["marts", "viewing_hours"], ["audience", "plots"]),
        (["audience", "plots"], ["published", "tables"]),
        (["published", "tables"], ["published", "report"]),
        (["features", "user_interactions"], ["recommender", "model"]),
        (["recommender", "lists"], ["ml", "recommendations"]),
        (["ml", "recommendations"], ["marts", "recommendations"]),
    ],
)
def test_every_seam_between_python_and_dbt_is_an_edge(graph, upstream, downstream):
    assert dg.AssetKey(upstream) in graph.get(dg.AssetKey(downstream)).parent_keys


def test_every_computed_asset_waits_for_the_warehouse_pool(defs):
    for assets in defs.assets or ():
        if isinstance(assets, dg.AssetsDefinition) and assets.is_executable:
            assert assets.op.pool == POOL, assets.keys


@pytest.mark.parametrize(("name", "job"), [("nightly_refresh", "refresh"), ("hourly_refresh", "update")])
def test_the_refreshes_of_night_and_hour_are_on(defs, name, job):
    schedule = defs.resolve_schedule_def(name)
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert schedule.job_name == job


def test_the_watch_for_new_files_is_on(defs):
    sensor = defs.resolve_sensor_def("new_files")
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert sensor.job_name == "update"


def test_the_job_between_the_nights_makes_what_the_nightly_one_makes(defs):
    made = [defs.resolve_job_def(job).asset_layer.executable_asset_keys for job in ("refresh", "update")]
    assert made[0] == made[1]


def test_days_of_arrival_are_read_again_by_a_job_of_their_own(defs):
    assert defs.resolve_job_def("arrivals").asset_layer.executable_asset_keys == {ARRIVALS}
    assert defs.resolve_job_def("refresh").partitions_def is None


@pytest.mark.parametrize(
    "key", [["landing", "ratings"], ["landing", "manifest"], ["published", "tables"], ["published", "report"]]
)
def test_what_a_night_lands_and_publishes_is_late_after_26_hours_and_stale_after_50(graph, key):
    policy = graph.get(dg.AssetKey(key)).freshness_policy_or_from_metadata
    assert policy == dg.FreshnessPolicy.time_window(
        warn_window=timedelta(hours=26), fail_window=timedelta(hours=50)
    )


def test_nobody_is_late_with_files_that_come_when_they_come(graph):
    assert graph.get(ARRIVALS).freshness_policy_or_from_metadata is None


def test_raw_files_may_stay_the_same_where_no_setting_says_otherwise(graph):
    assert graph.get(dg.AssetKey(["raw", "ratings"])).freshness_policy_or_from_metadata is None


@pytest.mark.parametrize("job", ["refresh", "segments", "sql_layer"])
def test_a_run_that_died_is_begun_anew_from_its_start(defs, job):
    assert defs.resolve_job_def(job).tags["dagster/retry_strategy"] == "ALL_STEPS"


def test_the_sql_layer_trains_nothing(defs):
    keys = defs.resolve_job_def("sql_layer").asset_layer.executable_asset_keys
    assert dg.AssetKey(["features", "user_genre_stats"]) in keys
    assert not {key.path[0] for key in keys} & {"ml", "marts", "user_ratings", "published"}


@pytest.mark.parametrize("job", ["refresh", "update", "segments", "sql_layer"])
def test_every_job_counts_the_rejects_of_each_table_that_exit_code_3_tells_of(defs, job):
    made = defs.resolve_job_def(job).asset_layer.asset_graph.asset_check_keys
    counted = {key.asset_key.path[-1] for key in made if key.name == KNOWN_REJECTS}
    assert counted == set(CONTRACTS)


@pytest.mark.parametrize(("job", "times"), [("refresh", 2), ("update", 2), ("segments", 2), ("sql_layer", 1)])
def test_dbt_is_invoked_once_before_ml_and_once_after(defs, job, times):
    steps = [node.name for node in defs.resolve_job_def(job).nodes]
    assert len([name for name in steps if name.startswith("dbt_build")]) == times
    assert len([name for name in steps if name.startswith("gather_ml_tables")]) == times - 1


@pytest.mark.parametrize(
    ("table", "steps"),
    [
        ("segment_members", {"members"}),
        ("membership_history", {"members"}),
        ("segment_profiles", {"profile"}),
        ("pca_loadings", {"profile"}),
        ("k_metrics", {"k_metrics", "model"}),
        ("segment_quality", {"quality", "model"}),
    ],
)
def test_a_table_of_segments_depends_on_the_steps_that_make_it_and_on_no_other(graph, table, steps):
    parents = graph.get(dg.AssetKey(["ml", table])).parent_keys
    segmentations = {key.path[0] for key in graph.get_all_asset_keys() if key.path[1] == "k_metrics"} - {
        "ml",
        "marts",
    }
    assert {tuple(key.path) for key in parents} == {(name, step) for name in segmentations for step in steps}


@pytest.mark.parametrize(
    ("table", "step"),
    [
        ("recommendations", "lists"),
        ("recommender_metrics", "evaluation"),
        ("similar_titles", "similar"),
        ("similar_catalogue_titles", "similar_catalogue"),
    ],
)
def test_a_table_of_the_recommender_depends_on_its_step_alone(graph, table, step):
    assert graph.get(dg.AssetKey(["ml", table])).parent_keys == {dg.AssetKey(["recommender", step])}


def test_a_mart_shows_no_training_that_it_is_not_made_of(graph):
    members = {key.path[0] for key in ancestors_of(graph, dg.AssetKey(["marts", "segment_members"]))}
    metrics = {key.path[0] for key in ancestors_of(graph, dg.AssetKey(["marts", "recommender_metrics"]))}
    assert "recommender" not in members
    assert not metrics & {"user_ratings", "user_taste", "title_reception"}


def test_the_job_of_segments_leaves_the_recommender_and_nothing_else_out(defs):
    everything = defs.resolve_job_def("refresh").asset_layer.executable_asset_keys
    segments = defs.resolve_job_def("segments").asset_layer.executable_asset_keys
    assert {key.path[0] for key in everything - segments} == {"recommender"}


def test_a_bad_result_cannot_be_published_past_its_check(graph):
    blocking = {
        check.key.name
        for check in graph.asset_check_keys and [graph.get(k) for k in graph.asset_check_keys]
        if check.blocking
    }
    assert blocking >= {"inertia_falls_as_k_grows", "no_segment_is_empty", "every_entity_has_one_segment"}
