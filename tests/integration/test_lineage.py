"""What Dagster shows after a run of what things are made of, and where it shows the run."""

from collections.abc import Iterator

import dagster as dg
import pytest

from orchestration.assets.ml_tables import TABLES
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.segmentations import ModelStore
from orchestration.tools.shown import COLUMNS

Column = tuple[str, str, str]
DBT_LAYERS = {"staging", "intermediate", "features", "advice", "marts"}
LINEAGE = "dagster/column_lineage"


@pytest.fixture(scope="module")
def instance(demo_home) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.from_config(str(demo_home)) as instance:
        yield instance


@pytest.fixture(scope="module")
def run(instance) -> dg.DagsterRun:
    (run,) = instance.get_runs()
    return run


@pytest.fixture(scope="module")
def metadata(instance, run) -> dict[str, dict[str, dg.MetadataValue]]:
    """What the run told of each asset that it made."""
    of_type = dg.DagsterEventType.ASSET_MATERIALIZATION
    made = [
        record.event_log_entry.asset_materialization
        for record in instance.get_records_for_run(run.run_id, of_type=of_type, limit=1_000).records
    ]
    return {event.asset_key.to_user_string(): event.metadata for event in made}


@pytest.fixture(scope="module")
def made_of(metadata) -> dict[Column, set[Column]]:
    return {
        (*asset.split("/"), column): {(*dep.asset_key.path, dep.column_name) for dep in deps}
        for asset, told in metadata.items()
        if LINEAGE in told
        for column, deps in told[LINEAGE].value.deps_by_column.items()
    }


def behind(made_of: dict[Column, set[Column]], column: Column) -> set[Column]:
    found, waiting = set(), {column}
    while waiting:
        found |= waiting
        waiting = set().union(*(made_of.get(one, set()) for one in waiting)) - found
    return found


def test_every_column_of_every_model_says_of_which_columns_it_is_made(metadata, made_of):
    models = {asset for asset in metadata if asset.split("/")[0] in DBT_LAYERS}
    assert models == {f"{layer}/{table}" for layer, table, _ in made_of}
    for asset in models:
        columns = {column.name for column in metadata[asset][COLUMNS].schema.columns}
        assert set(metadata[asset][LINEAGE].value.deps_by_column) == columns, asset


def test_a_column_is_made_of_columns_that_there_are(metadata, made_of):
    columns = {
        (*asset.split("/"), column.name)
        for asset, told in metadata.items()
        if COLUMNS in told
        for column in told[COLUMNS].schema.columns
    }
    told = {(layer, table) for layer, table, _ in columns}
    for dep in set().union(*made_of.values()):
        assert "/".join(dep[:2]) in metadata, dep
        assert dep in columns or dep[:2] not in told, dep
    assert len(told) > 150


@pytest.mark.parametrize(
    ("column", "source"),
    [
        (("marts", "genre_popularity", "mean_rating"), ("landing", "ratings", "rating")),
        (("marts", "titles", "title"), ("landing", "titles", "title")),
        (("marts", "segment_members", "segment_name"), ("ml", "segment_members", "segment_name")),
    ],
)
def test_the_lineage_of_a_column_reaches_what_was_landed_or_trained(made_of, column, source):
    assert source in behind(made_of, column)


def test_a_column_is_not_said_to_be_made_of_its_whole_table(made_of):
    assert made_of["marts", "segment_members", "segment_name"] == {("ml", "segment_members", "segment_name")}


def test_the_page_of_a_mart_says_beside_each_column_where_it_comes_from(metadata):
    columns = {column.name: column for column in metadata["marts/recommendations"][COLUMNS].schema.columns}
    meaning, origin = columns["score"].description.split("\n\n")
    assert meaning.startswith("Score of the recommender")
    assert origin == "From [ml/recommendations](/assets/ml/recommendations) score."


def test_a_table_of_ml_was_written_by_the_step_that_it_depends_on(instance, run, demo_warehouse):
    """Or while the one before it ended, which begins its work."""
    steps = {stats.step_key: stats for stats in instance.get_run_step_stats(run.run_id)}
    checked = 0
    for folder in sorted((demo_warehouse / "models").iterdir()):
        store = ModelStore(WarehouseLayout(demo_warehouse).models / folder.name)
        for before, step, tables in zip(
            list(TABLES)[:1] + list(TABLES), TABLES, TABLES.values(), strict=False
        ):
            if (did := steps.get(f"{folder.name}__{step}")) is None or folder.name == "recommender":
                continue
            for table in tables:
                written = store.table_path(table).stat().st_mtime
                begun = steps[f"{folder.name}__{before}"].start_time
                assert begun - 0.1 <= written <= did.end_time + 0.1, (folder.name, step, table)
                checked += 1
    assert checked >= 2 * sum(map(len, TABLES.values()))


def test_pictures_are_told_as_what_the_page_shows_without_a_click(metadata):
    for asset in ("user_ratings/plots", "audience/plots"):
        pictures = metadata[asset][COLUMNS].schema.columns
        assert len(pictures) > 5
        assert all(one.description.startswith(f"![{one.name}](data:image/png;base64,") for one in pictures)


def test_a_run_of_the_command_line_is_a_run_of_its_job(instance, run):
    origin = run.remote_job_origin
    assert (origin.job_name, origin.repository_origin.get_label()) == ("refresh", "__repository__@matinee")
    of_the_job = dg.RunsFilter(job_name="refresh", tags={".dagster/repository": "__repository__@matinee"})
    assert [found.run_id for found in instance.get_runs(filters=of_the_job)] == [run.run_id]
    assert "matinee/source" in run.tags
