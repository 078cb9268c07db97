"""The published viewer analysis, step for step as published, faults included.

Belongs here: the figures of that analysis from a feature frame and a raw catalogue column.
Does not belong here: anything the product uses; `ml.segmentation` does these things better.
"""

import ast
from collections import Counter
from collections.abc import Iterable

import numpy as np
import polars as pl
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score
from sklearn.preprocessing import StandardScaler

from ml.segmentation.quality.indices import elbow
from ml.segmentation.spec import select_columns

Figures = dict[str, float]

SILHOUETTE_SAMPLE = 10_000
_SEGMENT_GENRES = ("action", "adventure", "animation", "comedy", "crime", "documentary")


def catalogue_figures(genres: Iterable[str], valid: Iterable[str]) -> Figures:
    """Count what the published cleaning keeps and drops.

    Parameters
    ----------
    genres
        The raw genre cell of every catalogue row, a Python literal.
    valid
        The 20 genre labels.
    """
    valid = set(valid)
    rows = [[tag["name"] for tag in ast.literal_eval(cell)] for cell in genres]
    labels = {label for row in rows for label in row}
    kept = [row for row in rows if valid.issuperset(row)]
    tagged = [row for row in kept if row]
    tags = Counter(label for row in tagged for label in row)
    return {
        "catalogue.rows": len(rows),
        "catalogue.labels": len(labels),
        "catalogue.valid_labels": len(labels & valid),
        "catalogue.invalid_labels": len(labels - valid),
        "catalogue.rows_kept": len(kept),
        "catalogue.rows_without_genre": len(kept) - len(tagged),
        "catalogue.rows_with_genre": len(tagged),
        **{f"tags.{label}": count for label, count in tags.items()},
    }


def activity_figures(frame: pl.DataFrame, *, largest_k: int = 10) -> Figures:
    """Cluster counts and ratings per genre (40 columns), every k from 2 to `largest_k`."""
    X, columns = _standardised(frame, ("cnt_*", "avg_*"))
    figures = _components("activity", X, columns)
    inertias = []
    for k in range(2, largest_k + 1):
        fit = _fit(X, k)
        inertias.append(float(fit.inertia_))
        figures |= _indices(f"activity.k{k}", X, fit)
    figures["activity.elbow"] = elbow(range(2, largest_k + 1), inertias)
    return figures


def ratings_figures(frame: pl.DataFrame) -> Figures:
    """Cluster ratings per genre (20 columns) into 2 and 5, and describe the five segments.

    Segments are numbered by titles per user, fewest first: K-Means' own labels mean nothing.
    """
    X, columns = _standardised(frame, ("avg_*",))
    figures = _components("ratings", X, columns)
    for k in (2, 5):
        fit = _fit(X, k)
        figures |= _indices(f"ratings.k{k}", X, fit)
    titles = frame["total_titles"].to_numpy()
    order = np.argsort([titles[fit.labels_ == label].mean() for label in range(5)])
    means = frame.select(columns)
    for rank, label in enumerate(order):
        own = means.filter(pl.Series(fit.labels_ == label)).mean().row(0, named=True)
        figures |= {
            f"segment{rank}.users": int((fit.labels_ == label).sum()),
            f"segment{rank}.titles_per_user": float(titles[fit.labels_ == label].mean()),
            f"segment{rank}.genres_from_3": sum(value >= 3 for value in own.values()),
            **{f"segment{rank}.avg_{genre}": own[f"avg_{genre}"] for genre in _SEGMENT_GENRES},
        }
    return figures


def _standardised(frame: pl.DataFrame, patterns: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    columns = [column for pattern in patterns for column in select_columns([pattern], frame.columns)]
    return StandardScaler().fit_transform(frame.select(columns).to_numpy()), columns


def _fit(X: np.ndarray, k: int) -> KMeans:
    return KMeans(n_clusters=k, n_init=10, random_state=0).fit(X)


def _indices(prefix: str, X: np.ndarray, fit: KMeans) -> Figures:
    labels = fit.labels_
    sample = min(SILHOUETTE_SAMPLE, len(X))
    return {
        f"{prefix}.silhouette": float(silhouette_score(X, labels, sample_size=sample, random_state=0)),
        f"{prefix}.calinski_harabasz": float(calinski_harabasz_score(X, labels)),
        f"{prefix}.davies_bouldin": float(davies_bouldin_score(X, labels)),
        f"{prefix}.inertia": float(fit.inertia_),
        f"{prefix}.size_min": int(np.bincount(labels).min()),
    }


def _components(prefix: str, X: np.ndarray, columns: list[str]) -> Figures:
    pca = PCA(2).fit(X)
    figures: Figures = {}
    for number, (ratio, component) in enumerate(
        zip(pca.explained_variance_ratio_, pca.components_, strict=True), start=1
    ):
        figures[f"{prefix}.pc{number}.variance_percent"] = 100 * float(ratio)
        # A component's sign is arbitrary; like the published ones, ours has its largest loading positive.
        oriented = component * np.sign(component[np.argmax(np.abs(component))])
        for column, loading in zip(columns, oriented, strict=True):
            figures[f"{prefix}.pc{number}.{column}"] = float(loading)
    return figures
