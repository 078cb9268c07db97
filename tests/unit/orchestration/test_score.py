"""`matinee score`: new users get the segment that a run would give them, or are told why they get none."""

from datetime import datetime

import numpy as np
import polars as pl
import pytest

from ingest.cells import FIRST_TEXT_ID
from ml.segmentation.errors import SegmentationError
from ml.segmentation.spec import SegmentationSpec
from orchestration.commands.frames import FrameError
from orchestration.commands.score.answers import ScoringError, score_file
from orchestration.stores.layout import ModelNotFoundError, WarehouseLayout
from orchestration.stores.segmentations import ModelDamagedError, ModelStore
from orchestration.tasks.segmentation import assign_members, train_candidate
from tests.conftest import Matinee

USERS, POOLS, POOL, LEAST = 240, 3, 30, 5
TASTE = SegmentationSpec.model_validate(
    {
        "name": "taste",
        "description": "Users by what they choose",
        "entity": "user_id",
        "features": {
            "table": "features.taste",
            "interactions": "features.interactions",
            "embedding": {"dimensions": 4, "titles": 80, "least": LEAST},
            "columns": ["taste_*"],
            "prepare": [],
        },
        "clustering": {"candidates": [2, 3], "publish": 3, "restarts": 2},
        "naming": {"rank_by": "titles"},
        "levels": {"by": "titles"},
    }
)


@pytest.fixture(scope="module")
def layout(tmp_path_factory) -> WarehouseLayout:
    """A warehouse in which taste is trained; titles 60 and more have ids of text, ratings call title 1 number 1001."""
    layout = WarehouseLayout(tmp_path_factory.mktemp("scoring"))
    rng = np.random.default_rng(0)
    chosen = [
        (user, title if title < 60 else FIRST_TEXT_ID + title)
        for user in range(USERS)
        for title in np.sort(rng.choice(POOL, rng.integers(3, 15), replace=False)) + user % POOLS * POOL
    ]
    pairs = pl.DataFrame(chosen, schema=["user_id", "title_id"], orient="row").cast(pl.Int64)
    files = layout.root / "features.parquet", layout.root / "interactions.parquet"
    pairs.group_by("user_id", maintain_order=True).len("titles").write_parquet(files[0])
    pairs.write_parquet(files[1])
    store = ModelStore(layout.models / "taste")
    train_candidate(TASTE, store, files, 1)
    assign_members(store, files, datetime(2026, 1, 1))
    store.promote_candidate()
    numbers = np.arange(60, 90)
    known = pl.DataFrame({"number": numbers + FIRST_TEXT_ID, "id": [f"t{number}" for number in numbers]})
    (layout.landing / "files").mkdir(parents=True)
    known.write_parquet(layout.landing / "files" / f"ids-{FIRST_TEXT_ID}.parquet")
    links = layout.landing / "current" / "links"
    links.mkdir(parents=True)
    titles = pairs["title_id"].unique().sort()
    pl.DataFrame({"rated_id": np.arange(len(titles)) + 1000, "title_id": titles}).write_parquet(
        links / "links.parquet"
    )
    return layout


@pytest.fixture(scope="module")
def chosen(layout) -> pl.DataFrame:
    """Who chose which title, by the ids that are published."""
    number = pl.col("title_id") % FIRST_TEXT_ID
    is_text = pl.col("title_id") >= FIRST_TEXT_ID
    written = pl.when(is_text).then(pl.format("t{}", number)).otherwise(number.cast(pl.String))
    return pl.read_parquet(layout.root / "interactions.parquet").with_columns(written.alias("title_id"))


@pytest.fixture
def scored(layout, tmp_path):
    """Score a frame as a CSV file."""

    def score(frame: pl.DataFrame, said: list[str] | None = None) -> pl.DataFrame:
        frame.write_csv(tmp_path / "new.csv")
        return score_file(layout, "taste", tmp_path / "new.csv", (said if said is not None else []).append)

    return score


def batch(layout: WarehouseLayout) -> pl.DataFrame:
    return ModelStore(layout.models / "taste").read_table("segment_members").drop("segmentation")


def decided(answer: pl.DataFrame) -> pl.DataFrame:
    return answer.drop_nulls("segment_id").select("entity_id", "segment_id", "segment_name", "level")


def test_users_scored_by_what_they_chose_are_where_the_run_put_them_row_for_row(layout, chosen, scored):
    assert decided(scored(chosen)).equals(batch(layout))


def test_neither_company_nor_order_nor_repeats_change_a_segment(layout, chosen, scored):
    some = chosen.filter(pl.col("user_id") % 7 == 0)
    shuffled = pl.concat([some, some.head(20)]).sample(fraction=1, shuffle=True, seed=1)
    expected = batch(layout).join(decided(scored(some)), on="entity_id", how="semi")
    assert decided(scored(shuffled)).sort("entity_id").equals(expected.sort("entity_id"))


def test_titles_may_go_by_the_ids_that_ratings_use(layout, scored):
    links = pl.read_parquet(layout.landing / "current" / "links")
    pairs = pl.read_parquet(layout.root / "interactions.parquet").join(links, on="title_id")
    rated = pairs.select(pl.col("user_id").alias("userId"), pl.col("rated_id").alias("movieId"))
    assert decided(scored(rated)).sort("entity_id").equals(batch(layout).sort("entity_id"))


def test_a_user_with_too_few_titles_is_undecided_with_the_reason(scored):
    new = pl.DataFrame(
        {"user_id": ["a"] * 6 + ["b"] * 5, "title_id": ["0", "1", "2", "0", "zz", "999", *list("01234")]}
    )
    few, enough = scored(new).rows(named=True)
    assert (few["segment_id"], few["segment_name"], few["confidence"]) == (None, None, None)
    assert few["reason"] == "undecided: 3 of the user's titles known, 5 asked for"
    assert enough["segment_id"] is not None
    assert enough["reason"] is None


def test_confidence_says_how_much_nearer_the_own_centroid_is_than_the_next(layout, chosen, scored):
    store = ModelStore(layout.models / "taste")
    placed = ModelStore.read_embedding(store.home).placed(
        pl.read_parquet(layout.root / "interactions.parquet")
    )
    distances = np.linalg.norm(
        placed.drop("user_id").to_numpy()[:, None] - store.model().centroids[None], axis=2
    )
    first, second = np.sort(distances, axis=1)[:, :2].T
    assert scored(chosen)["confidence"].drop_nulls().to_numpy() == pytest.approx(1 - first / second, abs=1e-5)


def test_rows_without_a_user_or_a_title_are_passed_over_and_counted(chosen, scored):
    said: list[str] = []
    gaps = pl.DataFrame({"user_id": [None, 3], "title_id": ["1", None]}, schema=chosen.schema)
    assert scored(pl.concat([gaps, chosen]), said).equals(scored(chosen))
    assert said == ["Passed over: 2 rows without a user or a title."]


def test_dimensions_of_taste_are_features_like_others(layout, scored):
    pairs = pl.read_parquet(layout.root / "interactions.parquet")
    placed = ModelStore.read_embedding(ModelStore(layout.models / "taste").home).placed(pairs)
    features = pl.read_parquet(layout.root / "features.parquet")
    answer = scored(placed.join(features, on="user_id", maintain_order="left"))
    assert answer.columns == ["entity_id", "segment_id", "segment_name", "level", "confidence"]
    assert answer.drop("confidence").equals(batch(layout))


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            pl.DataFrame({"user_id": [1], "film": ["1"]}),
            r"new\.csv: no column title_id .* found: user_id, film",
        ),
        (
            pl.DataFrame({"who": [1], "title_id": ["1"]}),
            r"new\.csv: no column 'user_id'; found: who, title_id",
        ),
        (pl.DataFrame({"user_id": [1], "title_id": ["x"]}), "none of the titles is among the 80"),
        (pl.DataFrame({"user_id": [1], "taste_1": [0.5]}), r"no column title_id .* found: user_id, taste_1"),
        (pl.DataFrame({"user_id": [], "title_id": []}), "no rows, only column names"),
        (pl.DataFrame(), r"new\.csv: cannot be read as CSV: it is empty"),
    ],
)
def test_what_cannot_be_scored_is_said_with_what_was_expected(scored, frame, said):
    with pytest.raises((ScoringError, SegmentationError, FrameError), match=said):
        scored(frame)


def test_a_column_of_lists_is_refused_by_name(layout, tmp_path):
    pl.DataFrame({"user_id": [1], "title_id": [["1", "2"]]}).write_parquet(tmp_path / "new.parquet")
    with pytest.raises(ScoringError, match="a cell of title_id holds more than one value"):
        score_file(layout, "taste", tmp_path / "new.parquet", print)


def test_an_unknown_segmentation_is_refused_with_those_there_are(layout, tmp_path):
    with pytest.raises(ModelNotFoundError, match="no trained segmentation 'tast'; there are: taste"):
        score_file(layout, "tast", tmp_path / "new.csv", print)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.json", b'{"format": 2, "cut', r"model\.json"),
        ("model.json", b'{"format": 99}', "model format 99; this version reads formats 1 to 3"),
        ("model.json", b"[1]", r"model\.json"),
        ("model.json", None, r"model\.json: it is absent"),
        ("../current.json", b"{", r"current\.json is damaged.*there are: [0-9a-f]{12}"),
        ("../current.json", b"[1]", r"current\.json is damaged.*there are: [0-9a-f]{12}"),
        ("embedding.npz", b"PK\x03\x04 cut off", r"embedding\.npz"),
        ("embedding.npz", None, r"embedding\.npz: it is absent"),
    ],
)
def test_a_damaged_model_is_said_with_its_file_and_the_next_step(
    layout, tmp_path, chosen, name, content, said
):
    home = ModelStore(layout.models / "taste").home
    chosen.write_csv(tmp_path / "new.csv")
    whole = (home / name).read_bytes()
    try:
        (home / name).unlink() if content is None else (home / name).write_bytes(content)
        with pytest.raises((ModelDamagedError, ModelNotFoundError), match=said) as error:
            score_file(layout, "taste", tmp_path / "new.csv", print)
        assert "hat is published stays as it is" in str(error.value)
    finally:
        (home / name).write_bytes(whole)


def test_the_command_writes_what_it_found_and_fails_in_words(matinee: Matinee, layout, chosen, tmp_path):
    chosen.write_csv(tmp_path / "new.csv")
    files = ("--input", tmp_path / "new.csv", "--output", tmp_path / "out.csv")
    done = matinee("score", "taste", *files, warehouse=layout.root)
    assert done.exit_code == 0, done.said
    assert decided(
        pl.read_csv(tmp_path / "out.csv", schema_overrides={"entity_id": pl.String, "segment_id": pl.Int32})
    ).equals(batch(layout))
    done = matinee("score", "taste", "--sql", warehouse=layout.root)
    assert (done.exit_code, done.out) == (1, "")
    assert "no single SQL statement" in done.error
    assert matinee("score", "taste", warehouse=layout.root).exit_code == 2
