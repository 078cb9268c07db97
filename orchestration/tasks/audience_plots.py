"""The pictures of audience and catalogue: from rows of the marts to drawn PNGs.

Belongs here: feeding each picture. Does not belong here: which there are and of which rows (`audience_queries`), how
one looks (`ml.plots`), files.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from ml.plots.boxes import rating_boxes
from ml.plots.cloud import genre_cloud
from ml.plots.devices import segment_device_heatmap, user_device_heatmap
from ml.plots.encode import to_png
from ml.plots.given import NothingToDrawError, drawable
from ml.plots.leanings import segment_leanings
from ml.plots.popularity import genre_popularity
from ml.plots.recommenders import recommender_bars
from ml.plots.ribbons import segment_genre_flow, user_genre_flow
from ml.plots.shrink import few_colors
from ml.plots.similarity import similarity_heatmap
from ml.plots.strips import genre_strip
from ml.plots.times import viewing_hours_heatmap, weekly_activity
from ml.plots.trends import catalogue_trends
from orchestration.tasks.audience_queries import PICTURES, QUERIES
from orchestration.tasks.recommender import K
from orchestration.tasks.segment_plots import DrawnPlot
from published.people import hide_emails

_SEED = 0


@dataclass(frozen=True)
class LeftOut:
    """A picture that could not be drawn, and why."""

    name: str
    reason: str


def draw(rows: Mapping[str, pl.DataFrame]) -> Iterator[DrawnPlot | LeftOut]:
    """Draw every picture that the rows allow, in the order in which people read them.

    Parameters
    ----------
    rows
        By the names of `audience_queries.QUERIES`; those of tables that are not built are absent.
    """
    spoken = rows["words"].to_dicts() if "words" in rows else []
    words = spoken[0] if spoken else {"act": "rate", "acted": "rated", "counted": "ratings"}
    for name, query in PICTURES.items():
        if query not in rows:
            needed = QUERIES[query].marts
            yield LeftOut(
                name, f"not all of its tables are built: {', '.join(f'marts.{mart}' for mart in needed)}"
            )
            continue
        try:
            figure = _DRAWN[name](_shown(rows[query]), **_WORDED[name](words) if name in _WORDED else {})
        except NothingToDrawError as error:
            yield LeftOut(name, str(error))
        else:
            yield DrawnPlot(name, few_colors(to_png(figure)))


def _shown(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with people as they are shown."""
    if "user_id" not in rows.columns:
        return rows
    return rows.with_columns(
        pl.col("user_id").cast(pl.String).map_elements(hide_emails, return_dtype=pl.String)
    )


def _strip(titles: pl.DataFrame) -> Figure:
    known = drawable(titles, "genres", "score")
    first = known.row(0, named=True)
    by_genre = known.select("score", genre_label=pl.col("genres").str.split(", ")).explode("genre_label")
    return genre_strip(
        by_genre,
        measure="audience score",
        unit="0 to 100",
        chosen=f"Titles of the {first['catalogue']} with {first['vote_minimum']:,.0f} votes or more.",
        rng=np.random.default_rng(_SEED),
    )


def _recommenders(models: pl.DataFrame) -> Figure:
    known = drawable(models, "model", "value")
    return recommender_bars(
        known.with_columns(pl.col("model").str.replace_all("_", " ")), measure=f"nDCG@{K}"
    )


_DRAWN: Mapping[str, Callable[..., Figure]] = {
    "viewing_hours": viewing_hours_heatmap,
    "weekly_activity": weekly_activity,
    "segment_devices": segment_device_heatmap,
    "user_devices": partial(user_device_heatmap, chosen="those of each segment who watch most"),
    "segment_genres": segment_genre_flow,
    "user_genres": user_genre_flow,
    "segment_titles": segment_leanings,
    "genre_popularity": genre_popularity,
    "genre_cloud": genre_cloud,
    "genre_ratings": rating_boxes,
    "genre_scores": _strip,
    "catalogue_trends": partial(
        catalogue_trends, measure="audience_score", label="mean audience score (0 to 100)"
    ),
    "similar_titles": similarity_heatmap,
    "recommenders": _recommenders,
}
_WORDED: Mapping[str, Callable[[dict[str, str]], dict[str, str]]] = {
    "segment_genres": lambda words: {"given": words["counted"]},
    "user_genres": lambda words: {
        "given": words["counted"],
        "chosen": f"The users of each segment who {words['act']} most",
    },
    "segment_titles": lambda words: {"act": words["act"], "acted": words["acted"]},
    "similar_titles": lambda words: {"chosen": f"The titles that most people {words['acted']}"},
}
"""What a picture says of what counts as interest."""
