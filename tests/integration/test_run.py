"""A whole run, from raw files to the report, gives what people and their queries rely on."""

import html
import json

import duckdb
import polars as pl
import pytest
from PIL import Image

from ml.segmentation.model import SegmentationModel
from orchestration.tasks.audience_queries import PICTURES, QUERIES
from report.context import PERSONAL_PLOTS
from tests.integration.conftest import Matinee, mart

PERSONAS = [
    "Quiet Viewers (Churn Risk)",
    "New Explorers",
    "Expanding Enthusiasts",
    "Loyalists",
    "Premium Loyalists",
]
PUBLISHED = {
    "k_metrics",
    "segments",
    "segment_members",
    "segment_profiles",
    "segment_genre_ratings",
    "pca_loadings",
    "rejects",
    "data_funnel",
    "genre_counts",
    "landing_manifest",
    "start_agreement",
    "free_segments",
    "segment_separation",
    "segment_claims",
    "customer_channels",
    "customer_discovery",
}


def test_every_mart_is_published(demo_warehouse):
    assert {file.stem for file in (demo_warehouse / "published").glob("*.parquet")} >= PUBLISHED


def test_the_five_personas_are_named_by_the_titles_their_members_watch(demo_warehouse):
    segments = mart(demo_warehouse, "segments").filter(segmentation="user_ratings").sort("segment_id")
    assert segments["segment_name"].to_list() == PERSONAS
    titles = (
        mart(demo_warehouse, "segment_profiles")
        .filter(segmentation="user_ratings", feature="total_titles")
        .sort("segment_id")["segment_mean"]
    )
    assert titles.is_sorted()
    assert segments["share"].sum() == pytest.approx(1)


def test_every_persona_has_a_playbook(demo_warehouse):
    segments = mart(demo_warehouse, "segments").filter(segmentation="user_ratings")
    assert (
        segments.select("audience", "content_strategy", "marketing_strategy")
        .null_count()
        .sum_horizontal()
        .item()
        == 0
    )


def test_planted_personas_are_recovered(matinee: Matinee, demo_warehouse, demo_world):
    truth = pl.read_csv(demo_world / "truth" / "personas.csv").with_columns(pl.col("user_id").cast(pl.String))
    members = mart(demo_warehouse, "segment_members").filter(segmentation="user_ratings")
    both = members.join(truth, left_on="entity_id", right_on="user_id")
    agreement = both.group_by("persona", "segment_name").len().sort("len", descending=True)
    # The most frequent pairs match each persona with a segment of its own.
    top = agreement.unique("persona", keep="first", maintain_order=True)
    assert top["segment_name"].n_unique() == len(PERSONAS)
    assert top["len"].sum() / len(both) > 0.9


def test_planted_tastes_are_recovered(demo_warehouse):
    """Of a fifth of the users; of all of the small world they come back with .93."""
    (recovered,) = demo_warehouse.glob("models/user_taste/*/recovery.json")
    assert json.loads(recovered.read_text())["adjusted_rand_index"] >= 0.75


def test_every_user_is_a_member_once_per_segmentation(demo_warehouse):
    with duckdb.connect(str(demo_warehouse / "matinee.duckdb"), read_only=True) as connection:
        (users,) = connection.execute("select count(*) from features.user_genre_stats").fetchall()[0]
    members = mart(demo_warehouse, "segment_members")
    for name in ("user_ratings", "user_activity_and_ratings"):
        own = members.filter(segmentation=name)
        assert len(own) == own["entity_id"].n_unique() == users


def test_the_honest_mean_is_never_below_the_lowest_rating(demo_warehouse):
    genres = mart(demo_warehouse, "segment_genre_ratings")
    honest = genres.drop_nulls("rater_mean_rating")
    assert honest["rater_mean_rating"].min() >= 0.5
    assert (honest["rater_mean_rating"] >= honest["published_mean_rating"] - 1e-9).all()


def test_k_metrics_mark_one_elbow_and_one_published_k(demo_warehouse):
    marks = (
        mart(demo_warehouse, "k_metrics")
        .group_by("segmentation")
        .agg(pl.col("is_elbow", "is_published").sum())
    )
    assert marks.select("is_elbow", "is_published").unique().rows() == [(1, 1)]


def test_a_model_is_stored_as_text_with_its_preprocessing(demo_warehouse):
    folder = demo_warehouse / "models" / "user_ratings"
    version = json.loads((folder / "current.json").read_text())["version"]
    model = SegmentationModel.from_json((folder / version / "model.json").read_text())
    assert model.k == 5
    assert len(model.preparation.columns) == 20
    assert not list(demo_warehouse.rglob("*.pkl"))


def test_plots_and_report_are_there_and_the_report_opens_offline(demo_warehouse):
    for name in ("user_ratings", "user_activity_and_ratings"):
        plots = {file.stem for file in (demo_warehouse / "plots" / name).glob("*.png")}
        assert plots >= {"elbow", "k_metrics", "pca_map_k2", "pca_map_k5", "heatmap", "sizes", "distribution"}
    page = (demo_warehouse / "report" / "index.html").read_text()
    assert all(name in page for name in PERSONAS)
    assert "<script" not in page
    assert 'src="http' not in page
    assert len(page) < 3_500_000


def test_pictures_of_audience_and_catalogue_are_published_with_their_findings_but_those_of_people(
    demo_warehouse,
):
    drawn = {file.stem: file for file in (demo_warehouse / "plots" / "audience").glob("*.png")}
    tables = {file.stem for file in (demo_warehouse / "published").glob("*.parquet")}
    assert set(drawn) == {name for name, query in PICTURES.items() if tables.issuperset(QUERIES[query].marts)}
    assert len(drawn) >= 11
    page = (demo_warehouse / "report" / "index.html").read_text()
    for name, file in drawn.items():
        with Image.open(file) as picture:
            assert (picture.info["Title"] in html.unescape(page)) == (name not in PERSONAL_PLOTS), name
            assert picture.width >= 700, name


def test_the_run_file_says_where_the_time_went(demo_warehouse):
    facts = json.loads((demo_warehouse / "report" / "run.json").read_text())
    assert {stage["name"] for stage in facts["stages"]} >= {"land_raw_files", "user_ratings__k_metrics"}
    assert sum(stage["seconds"] for stage in facts["stages"]) <= facts["seconds"]


@pytest.mark.long
def test_the_same_input_gives_the_same_models_and_members(
    matinee: Matinee, demo_world, demo_warehouse, tmp_path
):
    again = tmp_path / "again"
    answer = matinee("run", "--source", demo_world, warehouse=again)
    assert answer.exit_code == 0, answer.said
    # A version is a hash of all that was trained: one that is found again is no new decision.
    one, two = (mart(w, "segment_promotions").drop("decided_at") for w in (demo_warehouse, again))
    assert one.sort("segmentation").equals(two.sort("segmentation"))
    order = ["segmentation", "entity_id"]
    one, two = (mart(warehouse, "segment_members").sort(order) for warehouse in (demo_warehouse, again))
    assert one.equals(two)
    plots = list((demo_warehouse / "plots").glob("*/*.png"))  # `**` would not follow the links
    assert {plot.parent.name for plot in plots} >= {"user_ratings", "audience"}
    for plot in plots:
        assert plot.read_bytes() == (again / plot.relative_to(demo_warehouse)).read_bytes(), plot.name


def test_scoring_the_training_users_gives_their_segments_without_a_refit(
    matinee: Matinee, demo_warehouse, tmp_path
):
    with duckdb.connect(str(demo_warehouse / "matinee.duckdb"), read_only=True) as connection:
        connection.execute(
            f"copy (select * from features.user_genre_stats limit 50) to '{tmp_path}/new.parquet' (format parquet)"
        )
    out = tmp_path / "scored.csv"
    answer = matinee(
        "score",
        "user_ratings",
        "--input",
        tmp_path / "new.parquet",
        "--output",
        out,
        warehouse=demo_warehouse,
    )
    assert answer.exit_code == 0, answer.said
    scored = pl.read_csv(out, schema_overrides={"entity_id": pl.String, "segment_id": pl.Int32})
    members = mart(demo_warehouse, "segment_members").filter(segmentation="user_ratings")
    joined = scored.join(members, on=["entity_id", "segment_id", "segment_name"])
    assert len(scored) == len(joined) == 50


@pytest.mark.parametrize("name", ["user_ratings", "user_viewing", "customer_acquisition"])
def test_the_statement_of_a_model_gives_the_members_that_the_run_gave(
    matinee: Matinee, demo_warehouse, tmp_path, name
):
    answer = matinee("score", name, "--sql", "--output", tmp_path / "model.sql", warehouse=demo_warehouse)
    assert answer.exit_code == 0, answer.said
    with duckdb.connect(str(demo_warehouse / "matinee.duckdb"), read_only=True) as connection:
        found = connection.sql((tmp_path / "model.sql").read_text()).pl()
        members = connection.sql(
            f"from ml.segment_members where segmentation = '{name}' order by entity_id"
        ).pl()
    assert found.equals(members.drop("segmentation"))


def test_users_scored_by_what_they_rated_are_in_the_segments_of_the_run(
    matinee: Matinee, demo_world, demo_warehouse, tmp_path
):
    """The file of the source itself: its ids are those that links translate."""
    answer = matinee(
        *("score", "user_taste", "--input", demo_world / "ratings.csv", "--output", tmp_path / "out.parquet"),
        warehouse=demo_warehouse,
    )
    assert answer.exit_code == 0, answer.said
    scored = pl.read_parquet(tmp_path / "out.parquet").drop_nulls("segment_id")
    members = mart(demo_warehouse, "segment_members").filter(segmentation="user_taste").drop("segmentation")
    told = ("entity_id", "segment_id", "segment_name", "level")
    assert scored.select(told).sort("entity_id").equals(members.select(told).sort("entity_id"))


@pytest.mark.real_data
@pytest.mark.long
def test_the_real_files_give_the_published_counts(real_warehouse):
    funnel = set(mart(real_warehouse, "data_funnel")["row_count"].to_list())
    assert funnel >= {45_466, 45_463, 43_021, 100_004, 99_722, 671}


@pytest.mark.real_data
@pytest.mark.long
def test_replicate_reproduces_every_figure_that_the_small_file_can_be_held_to(
    matinee: Matinee, real_movies, tmp_path
):
    answer = matinee("replicate", "--source", real_movies, warehouse=tmp_path)
    assert answer.exit_code == 0, answer.said
    assert "44,792" in answer.said
    assert "99,722" in answer.said
    assert "differs" not in answer.said
