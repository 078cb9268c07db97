"""The segment of new entities: from their features, or from what they chose.

Belongs here: which columns a file has, which title an id stands for, the rows of `matinee score`. Does not belong here:
placing and assigning (`ml.segmentation`), the store.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from ingest import ids
from ingest.cells import FIRST_TEXT_ID
from ingest.errors import counted
from ml.segmentation.as_sql import as_sql
from ml.segmentation.embedding import Embedding
from ml.segmentation.model import SegmentationModel
from orchestration.commands.frames import read_frame
from orchestration.stores.layout import WarehouseLayout
from orchestration.stores.segmentations import ModelDamagedError, ModelStore

_USERS, _TITLES, _RATED = ("userId",), ("title_id", "titleId"), ("movie_id", "movieId", "rated_id")
"""How columns of interactions may be called: titles by their ids in the catalogue, as they are published, or by those
that ratings and views use, which links translate."""


class ScoringError(ValueError):
    """The input cannot be scored; the message says why."""


def score_file(
    layout: WarehouseLayout, segmentation: str, file: Path, say: Callable[[str], None]
) -> pl.DataFrame:
    """Return the segment of each row of features in a CSV or Parquet file, or of each user whose choices it holds.

    Parameters
    ----------
    layout
        The warehouse.
    segmentation
        Its name.
    file
        Features, one row per entity; or, where users are placed by what they choose, user_id and title_id.
    say
        Takes sentences about rows that were passed over.

    Returns
    -------
    entity_id, segment_id, segment_name, level (how much beside what; null where none are declared or their column is
    absent), confidence (`SegmentationModel.confidence`). For users with their choices one
    row each, in the order of their first row, and `reason`: why the others are null where a user is undecided.

    Raises
    ------
    ScoringError, FrameError, SegmentationError
        When the file is absent or unreadable, lacks a column, or holds nothing that is known.
    ModelNotFoundError, ModelDamagedError
        When there is no such model, or it cannot be read.
    """
    store = _in_force(layout, segmentation)
    model, embedding = store.model(), ModelStore.read_embedding(store.home)
    if embedding is None and "taste_1" in model.preparation.columns:
        raise ModelDamagedError.of(store.home / "embedding.npz", "it is absent")
    frame = read_frame(file, text=[model.entity, *_USERS, *_TITLES, *_RATED])
    entity = _column(frame, (model.entity, *_USERS))
    if entity is None:
        msg = f"{file.name}: no column {model.entity!r}; found: {', '.join(frame.columns)}"
        raise ScoringError(msg)
    if frame.is_empty():
        msg = f"{file.name}: no rows, only column names"
        raise ScoringError(msg)
    if embedding is None or set(embedding.columns) <= set(frame.columns):
        X = model.preparation.transform(frame)
        named = frame.rename({entity: model.entity})
        return model.members_at(named, X).with_columns(model.confidence(X))
    title, rated = _column(frame, _TITLES), _column(frame, _RATED)
    if title is None and rated is None:
        msg = (
            f"{file.name}: no column title_id (ids of the catalogue, as published) or movie_id (ids that ratings use), "
            f"one row per user and title, and none of taste_1 to {embedding.columns[-1]}; "
            f"found: {', '.join(frame.columns)}"
        )
        raise ScoringError(msg)
    nested = [name for name in (entity, title or rated or "") if frame[name].dtype.is_nested()]
    if nested:
        msg = f"{file.name}: a cell of {', '.join(nested)} holds more than one value; one row per user and title"
        raise ScoringError(msg)
    chosen = frame.select(
        pl.col(entity).cast(pl.String).alias("entity_id"),
        pl.col(title or rated or "").cast(pl.String).alias("title"),
    )
    whole = chosen.drop_nulls()
    if len(whole) < len(chosen):
        say(f"Passed over: {counted(len(chosen) - len(whole), 'row')} without a user or a title.")
    numbers = title_numbers(whole["title"], layout.landing, through_links=title is None)
    return score_choices(model, embedding, whole["entity_id"], numbers)


def score_choices(
    model: SegmentationModel, embedding: Embedding, users: pl.Series, titles: pl.Series
) -> pl.DataFrame:
    """Return the segment of each user by what they chose.

    Parameters
    ----------
    model, embedding
        As they are stored.
    users : (n,) text
        Ids, as they came.
    titles : (n,) Int64
        What each chose, null where the title is not known.

    Raises
    ------
    ScoringError
        When no title is known.
    """
    everybody = users.unique(maintain_order=True)
    place = users.replace_strict(everybody, pl.int_range(len(everybody), eager=True), return_dtype=pl.Int64)
    pairs = pl.DataFrame({"user": place, "title": titles}).drop_nulls().unique().sort("user", "title")
    known = pairs.filter(pl.col("title").is_in(embedding.titles.tolist()))
    if known.is_empty():
        msg = (
            f"none of the titles is among the {len(embedding.titles):,} that the model knows: title_id must be ids of "
            "the catalogue, as in the published table `titles`; ids that ratings use go in a column movie_id"
        )
        raise ScoringError(msg)
    placed = embedding.placed(known).join(
        pairs.group_by("user").len("titles"), on="user", how="left", maintain_order="left"
    )
    X = model.preparation.transform(placed)
    named = placed.with_columns(everybody.gather(placed["user"]).alias(model.entity))
    scored = model.members_at(named, X).with_columns(model.confidence(X))
    reason = pl.format(
        "undecided: {} of the user's titles known, {} asked for", pl.col("len").fill_null(0), embedding.least
    )
    return (
        pl.DataFrame({"entity_id": everybody, "user": range(len(everybody))})
        .join(known.group_by("user").len(), on="user", how="left", maintain_order="left")
        .join(scored, on="entity_id", how="left", maintain_order="left")
        .with_columns(pl.when(pl.col("segment_id").is_null()).then(reason).alias("reason"))
        .drop("user", "len")
    )


def title_numbers(titles: pl.Series, landing: Path, *, through_links: bool) -> pl.Series:
    """Return the number inside of each title's id as the source writes it, null where it is not known, (n,) Int64."""
    text = (
        pl.read_parquet(files)
        if (files := ids.segments(landing))
        else pl.DataFrame(schema={"number": pl.Int64, "id": pl.String})
    )
    own = titles.str.extract(r"^(0|[1-9]\d{0,12})$").cast(pl.Int64)
    given = titles.replace_strict(text["id"], text["number"], default=None, return_dtype=pl.Int64)
    numbers = given.fill_null(own.set(own >= FIRST_TEXT_ID, None))
    if not through_links:
        return numbers
    linked = pl.read_parquet(landing / "current" / "links")
    if linked.is_empty():  # then ratings and titles use the same ids
        return numbers
    # As dbt's int_titles__unlisted: an id that links do not know is its own, unless that is another title's.
    known = [linked["title_id"]]
    if (described := landing / "current" / "titles").exists():
        known.append(pl.read_parquet(described, columns=["title_id"])["title_id"])
    found = numbers.replace_strict(
        linked["rated_id"], linked["title_id"], default=None, return_dtype=pl.Int64
    )
    return found.fill_null(numbers.set(numbers.is_in(pl.concat(known).drop_nulls().implode()), None))


def sql_of(layout: WarehouseLayout, segmentation: str) -> str:
    """Return the model in force as an SQL statement.

    Raises
    ------
    ScoringError
        When the segmentation places users by what they choose.
    """
    store = _in_force(layout, segmentation)
    if store.has("embedding.npz"):
        msg = (
            f"{segmentation} places users by the titles they choose, through a matrix of titles and dimensions: that "
            f"is no single SQL statement. Score a file: matinee score {segmentation} --input FILE"
        )
        raise ScoringError(msg)
    return as_sql(store.model(), store.read_table("segments")["features"][0])


def _in_force(layout: WarehouseLayout, segmentation: str) -> ModelStore:
    return ModelStore(layout.trained(segmentation), "current")


def _column(frame: pl.DataFrame, names: Sequence[str]) -> str | None:
    return next((name for name in names if name in frame.columns), None)
