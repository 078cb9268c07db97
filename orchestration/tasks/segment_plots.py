"""Which plots a segmentation has: from the model store and the feature frame to drawn PNGs.

Belongs here: choosing and feeding the plots. Does not belong here: how a plot looks (`ml.plots`), files.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from ml.plots.correlations import correlations
from ml.plots.dendrogram import dendrogram
from ml.plots.encode import to_png
from ml.plots.heatmap import profile_heatmap
from ml.plots.k_selection import elbow, k_metrics_panel
from ml.plots.palette import colors_of
from ml.plots.pca_map import pca_map
from ml.plots.ribbons import segment_moves
from ml.plots.scatter import scatter
from ml.plots.shrink import thumbnail
from ml.plots.sizes import distribution, segment_sizes
from ml.plots.summary import segment_summary
from ml.plots.words import feature_labels
from ml.segmentation.correlation import correlation_matrix
from ml.segmentation.model import SegmentationModel
from ml.segmentation.spec import SegmentationSpec, select_columns
from ml.segmentation.train import profiled_columns
from orchestration.stores.segmentations import ModelStore

_SHOWN_HEIGHT = 300
"""Pixels of a picture in the Dagster UI, which cuts off what is higher."""


@dataclass(frozen=True)
class DrawnPlot:
    """A plot ready to be written."""

    name: str
    png: bytes

    def thumbnail_markdown(self) -> str:
        """Return the small picture as Markdown, for the Dagster UI."""
        encoded = base64.b64encode(thumbnail(self.png, height=_SHOWN_HEIGHT)).decode()
        return f"![{self.name}](data:image/png;base64,{encoded})"


def draw(
    spec: SegmentationSpec, store: ModelStore, frame: pl.DataFrame, X: np.ndarray
) -> Iterator[DrawnPlot]:
    """Draw every plot of a segmentation; X (n, d) float32 are the prepared rows of the frame."""
    plots = _Plots(spec, store, frame, X)
    for name, figure in plots.figures():
        yield DrawnPlot(name, to_png(figure))


@dataclass
class _Plots:
    """The plots of one segmentation and what several of them share."""

    spec: SegmentationSpec
    store: ModelStore
    frame: pl.DataFrame
    X: np.ndarray

    def __post_init__(self) -> None:
        self.model: SegmentationModel = self.store.model()
        self.ids = self.model.nearest(self.X)
        self.names = self.model.segment_names
        self.colors = colors_of(self.model.segment_ids)

    def figures(self) -> Iterator[tuple[str, Figure]]:
        metrics = self.store.read_table("k_metrics")
        (start,) = self.store.read_table("start_agreement").iter_rows(named=True)
        yield "elbow", elbow(metrics, free_inertia=start["free_inertia"] if start["is_anchored"] else None)
        yield "k_metrics", k_metrics_panel(metrics)
        yield from self._tree()
        yield from self._maps()
        yield "sizes", segment_sizes(self._sizes)
        yield "heatmap", self._heatmap()
        yield from self._moves()
        yield from self._distribution()
        yield from self._exploration()

    def _moves(self) -> Iterator[tuple[str, Figure]]:
        migration = self.store.read_table("segment_migration")
        if migration["from_segment_id"].count():
            unit = f"{self.spec.entity.removesuffix('_id').replace('_', ' ')}s"
            yield "moves", segment_moves(migration, unit)

    def _tree(self) -> Iterator[tuple[str, Figure]]:
        tree = self.store.tree()
        if tree is None:
            return
        linkage, places = tree
        (suggested,) = self.store.read_table("start_agreement")["ward_k"]
        yield (
            "dendrogram",
            dendrogram(
                linkage,
                published_k=self.model.k,
                suggested_k=suggested,
                segment_ids=places,
                names=self.names,
                entities=self.model.trained_on,
                colors=self.colors,
            ),
        )

    def _maps(self) -> Iterator[tuple[str, Figure]]:
        models, projection = self.store.explored(), self.store.projection()
        points = projection.transform(self.X)
        for k, model in sorted(models.items()):
            yield (
                f"pca_map_k{k}",
                pca_map(
                    points,
                    model.nearest(self.X),
                    model.segment_names,
                    projection.transform(model.centroids),
                    projection.explained_variance_ratio,
                    rng=self._rng(),
                    colors=colors_of(model.segment_ids),
                ),
            )

    def _heatmap(self) -> Figure:
        names = self._sizes.select("segment_id", "segment_name")
        shown = self.spec.plots.heatmap or self.model.preparation.columns
        profile = self._profile(shown).join(names, on="segment_id", maintain_order="left")
        return profile_heatmap(profile, labels=self.spec.plots.labels)

    def _distribution(self) -> Iterator[tuple[str, Figure]]:
        column = self.spec.distribution
        if column is not None and self._varies(column):
            label = f"{self._label(column)} per {self.spec.entity.removesuffix('_id')}"
            figure = distribution(self._values(column), self.ids, self.names, label, colors=self.colors)
            yield "distribution", figure

    def _exploration(self) -> Iterator[tuple[str, Figure]]:
        plots = self.spec.plots
        if plots.correlations:
            columns = self._columns(plots.correlations)
            families = [set(self._columns(family)) for family in plots.families]
            matrix = correlation_matrix(self.frame, columns)
            yield "correlations", correlations(matrix, columns, labels=plots.labels, families=families)
        if plots.scatter and all(map(self._varies, plots.scattered)):
            x, y = plots.scatter.x, plots.scatter.y
            figure = scatter(
                self._values(x),
                self._values(y),
                self.ids,
                self.names,
                x_label=self._label(x),
                y_label=self._label(y),
                rng=self._rng(),
                colors=self.colors,
            )
            yield "scatter", figure
        if plots.summary:
            profile = self._profile(plots.summary)
            columns = profile["feature"].unique(maintain_order=True).to_list()
            dummies = [column for column in columns if set(np.unique(self._values(column))) <= {0, 1}]
            yield "summary", segment_summary(profile, self._sizes, dummies=dummies, labels=plots.labels)

    @cached_property
    def _sizes(self) -> pl.DataFrame:
        named = {"segment_id": self.model.segment_ids, "segment_name": self.names}
        segments = pl.DataFrame(named, schema_overrides={"segment_id": pl.Int32})
        # Of everybody, also where the rows are a sample.
        sizes = self.store.sizes().select("segment_id", "members")
        members = pl.col("members").fill_null(0)
        return segments.join(sizes, on="segment_id", how="left", maintain_order="left").with_columns(
            members, share=members / pl.max_horizontal(members.sum(), 1)
        )

    def _profile(self, patterns: tuple[str, ...]) -> pl.DataFrame:
        return self.store.read_table("segment_profiles").filter(
            pl.col("feature").is_in(self._columns(patterns))
        )

    def _columns(self, patterns: tuple[str, ...]) -> list[str]:
        columns = select_columns(patterns, profiled_columns(self.frame, self.spec.entity))
        return [column for column in columns if self._varies(column)] or columns

    def _varies(self, column: str) -> bool:
        """Whether a column tells its rows apart: one that is the same for all says that nothing is known of it."""
        return bool(self.frame[column].min() != self.frame[column].max())

    def _values(self, column: str) -> np.ndarray:
        return self.frame[column].cast(pl.Float64).to_numpy()

    def _label(self, column: str) -> str:
        return feature_labels([column], self.spec.plots.labels)[0]

    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(self.spec.clustering.seed)
