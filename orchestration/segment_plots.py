"""Which plots a segmentation has: from the model store and the feature frame to drawn PNGs.

Belongs here: choosing and feeding the plots. Does not belong here: how a plot looks (`ml.plots`), files.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from ml.plots.encode import thumbnail, to_png
from ml.plots.heatmap import profile_heatmap
from ml.plots.k_selection import elbow, k_metrics_panel
from ml.plots.pca_map import pca_map
from ml.plots.segments import distribution, segment_sizes
from ml.plots.style import feature_label
from ml.segmentation.spec import SegmentationSpec, select_columns
from orchestration.model_store import ModelStore


@dataclass(frozen=True)
class DrawnPlot:
    """A plot ready to be written."""

    name: str
    png: bytes

    def thumbnail_markdown(self) -> str:
        """Return the small picture as Markdown, for the Dagster UI."""
        encoded = base64.b64encode(thumbnail(self.png)).decode()
        return f"![{self.name}](data:image/png;base64,{encoded})"


def draw(
    spec: SegmentationSpec, store: ModelStore, frame: pl.DataFrame, X: np.ndarray
) -> Iterator[DrawnPlot]:
    """Draw every plot of a segmentation; X (n, d) float32 are the prepared rows of the frame."""
    metrics = store.read_table("k_metrics")
    yield DrawnPlot("elbow", to_png(elbow(metrics)))
    yield DrawnPlot("k_metrics", to_png(k_metrics_panel(metrics)))

    models = store.explored()
    trained = store.model()
    projection = store.projection()
    points = projection.transform(X)
    for k in sorted({*spec.clustering.explore, trained.k}):
        model = models[k]
        yield DrawnPlot(
            f"pca_map_k{k}",
            to_png(
                pca_map(
                    points,
                    model.nearest(X),
                    model.segment_names,
                    projection.transform(model.centroids),
                    projection.explained_variance_ratio,
                    rng=np.random.default_rng(spec.clustering.seed),
                )
            ),
        )

    ids = trained.nearest(X)
    names = trained.segment_names
    sizes = np.bincount(ids, minlength=trained.k)
    yield DrawnPlot(
        "sizes",
        to_png(
            segment_sizes(
                pl.DataFrame(
                    {
                        "segment_id": range(trained.k),
                        "segment_name": names,
                        "members": sizes,
                        "share": sizes / max(len(ids), 1),
                    }
                )
            )
        ),
    )
    shown = select_columns(spec.plots.heatmap or trained.preparation.columns, frame.columns)
    profile = store.read_table("segment_profiles").filter(pl.col("feature").is_in(shown))
    profile = profile.join(
        pl.DataFrame(
            {"segment_id": range(trained.k), "segment_name": names}, schema_overrides={"segment_id": pl.Int32}
        ),
        on="segment_id",
        maintain_order="left",
    )
    yield DrawnPlot("heatmap", to_png(profile_heatmap(profile)))
    column = spec.plots.distribution or spec.naming.rank_by
    label = f"{feature_label(column)} per {spec.entity.removesuffix('_id')}"
    values = frame[column].cast(pl.Float64).to_numpy()
    yield DrawnPlot("distribution", to_png(distribution(values, ids, names, label)))
