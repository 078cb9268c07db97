"""Every picture of audience and catalogue by a name, with the rows that `audience` invents for it."""

from collections.abc import Callable

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from ml.plots.boxes import rating_boxes
from ml.plots.cloud import genre_cloud
from ml.plots.devices import segment_device_heatmap, user_device_heatmap
from ml.plots.leanings import segment_leanings
from ml.plots.popularity import genre_popularity
from ml.plots.recommenders import recommender_bars
from ml.plots.ribbons import segment_genre_flow, user_genre_flow
from ml.plots.similarity import similarity_heatmap
from ml.plots.strips import genre_strip
from ml.plots.times import viewing_hours_heatmap, weekly_activity
from ml.plots.trends import catalogue_trends
from tests.unit.plots import audience


def strip(titles: pl.DataFrame, seed: int = 0, **changed) -> Figure:
    return genre_strip(
        titles, measure="audience score", unit="0 to 100", rng=np.random.default_rng(seed), **changed
    )


DRAWN: dict[str, tuple[Callable[[pl.DataFrame], Figure], Callable[[], pl.DataFrame]]] = {
    "strip": (strip, audience.titles),
    "boxes": (rating_boxes, audience.genre_rating_counts),
    "cloud": (genre_cloud, audience.genre_popularity),
    "user_devices": (lambda frame: user_device_heatmap(frame, chosen="some"), audience.user_devices),
    "segment_devices": (segment_device_heatmap, audience.segment_devices),
    "similarity": (lambda frame: similarity_heatmap(frame, chosen="Some titles"), audience.similar_titles),
    "user_flow": (lambda frame: user_genre_flow(frame, chosen="Some users"), audience.user_genres),
    "segment_flow": (segment_genre_flow, audience.segment_genres),
    "hours": (viewing_hours_heatmap, audience.viewing_hours),
    "weeks": (weekly_activity, audience.weekly_activity),
    "trends": (
        lambda frame: catalogue_trends(
            frame, measure="audience_score", label="mean audience score (0 to 100)"
        ),
        audience.catalogue_trends,
    ),
    "popularity": (genre_popularity, audience.genre_popularity),
    "recommenders": (lambda frame: recommender_bars(frame, measure="nDCG@10"), audience.recommender_metrics),
    "leanings": (segment_leanings, audience.segment_titles),
}


def draw(name: str, frame: pl.DataFrame | None = None) -> Figure:
    function, invent = DRAWN[name]
    return function(invent() if frame is None else frame)
