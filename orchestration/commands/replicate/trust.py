"""What the published segments are worth, beside the same ones made otherwise.

Belongs here: which segmentations are compared, and the table of their figures. Does not belong here: any measure
(`ml.segmentation.quality`), the features.
"""

from pathlib import Path

import numpy as np
import polars as pl
import yaml
from rich.console import Console
from rich.table import Table

from ml.plots.segment_words import MEASURES, Figure, figures
from ml.segmentation.embedding import Embedding
from ml.segmentation.errors import UntrainableError
from ml.segmentation.kmeans import fit_many
from ml.segmentation.prepare import Preparation
from ml.segmentation.quality.judge import judge, what_users_did
from ml.segmentation.spec import SegmentationSpec, select_columns
from orchestration.progress import counting

_K = 5
"""Segments of the published analysis."""
_WORKERS = 2


Joined = tuple[pl.DataFrame, pl.DataFrame]
"""`features.user_genre_stats` by a join, sorted by user, and the genres of each rated title by the same."""


def show_trust(console: Console, direct: Joined, linked: Joined, pairs: pl.DataFrame) -> None:
    """Judge five segments each by the published join, the right one, honest means and taste, and print their figures.

    Parameters
    ----------
    console
        Where to print.
    direct, linked
        By either join.
    pairs
        Who rated which title and how, each pair once, ascending: what everybody is judged by, whatever join made the
        segments.
    """
    personas, taste = _declared("user_ratings"), _declared("user_taste")
    honest = personas.model_copy(
        update={"features": personas.features.model_copy(update={"missing": "mean"})}
    )
    variants = {
        "published": (direct, personas),
        "right join": (linked, personas),
        "honest means": ((_honest(linked[0]), linked[1]), honest),
        "user_taste": (linked, taste),
    }
    found = {}
    refused = []
    with counting("judging", "segmentations") as tell:
        for at, (name, (joined, spec)) in enumerate(variants.items()):
            tell(at, len(variants))
            try:
                found[name] = _judged(joined, spec, pairs)
            except UntrainableError as error:
                refused.append(f"{name}: {error}")
    for sentence in refused:  # not while the bar is there, on the same terminal
        console.print(sentence, markup=False)
    console.print(_table(found))
    console.print(
        "Lift: how much better what is popular in the segment foretells held-out ratings than what is popular with "
        "everybody; 1 is nothing. All are found anew without the held-out ratings."
    )


def _judged(joined: Joined, spec: SegmentationSpec, pairs: pl.DataFrame) -> pl.DataFrame:
    """Make five segments as declared, and return their figures."""
    frame, genres = joined
    columns: list[str] = []
    seed, declared = spec.clustering.seed, spec.features.embedding
    rng = np.random.default_rng(seed)
    if declared is not None:
        _, frame = Embedding.fit_placed(pairs.drop("rating"), declared, rng=rng)
    else:
        columns = select_columns(spec.features.columns, frame.columns)
    X = Preparation.fit(frame, spec.features).transform(frame)
    labels = fit_many(X, (_K,), restarts=10, rng=rng, workers=_WORKERS).of(_K).labels
    judged = what_users_did(
        frame["user_id"], labels, _K, pairs, features=spec.features, columns=columns, genres=genres, seed=seed
    )
    return judge(X, labels, _K, {}, judged=judged, rng=rng, workers=_WORKERS)


def _honest(features: pl.DataFrame) -> pl.DataFrame:
    """Return means of those who rated a genre, without one for those who did not: the published ones are 0 there."""
    genres = [column.removeprefix("avg_") for column in features.columns if column.startswith("avg_")]
    return features.with_columns(
        pl.when(pl.col(f"cnt_{genre}") > 0).then(pl.col(f"avg_{genre}")).alias(f"avg_{genre}")
        for genre in genres
    )


def _table(found: dict[str, pl.DataFrame]) -> Table:
    table = Table(title=f"What {_K} segments are worth, by what users chose", title_justify="left")
    table.add_column("figure")
    for name in found:
        table.add_column(name, justify="right")
    rows = [{figure.label: figure for figure in figures(quality)} for quality in found.values()]
    for measure, label in MEASURES.items():
        table.add_row(label, *(_value(row.get(label)) for row in rows))
        if measure == "lift":
            for place, said in ((1, "by volume alone"), (0, "by random labels")):
                beside = (row[label].beside[place] if label in row else "" for row in rows)
                table.add_row(f"  {said}", *beside, style="dim")
    return table


def _value(figure: Figure | None) -> str:
    return "" if figure is None or figure.value == "not measured" else figure.value


def _declared(name: str) -> SegmentationSpec:
    home = Path(__file__).parents[2] / "defs" / "segmentations" / name
    return SegmentationSpec.model_validate(yaml.safe_load((home / "defs.yaml").read_text())["attributes"])
