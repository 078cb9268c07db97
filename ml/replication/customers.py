"""The published customer analysis, step for step as published.

Belongs here: the figures of that analysis from the customers' feature frame.
Does not belong here: anything the product uses; `ml.segmentation` does these things better.
"""

import numpy as np
import polars as pl
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.stats import kruskal
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

from ml.segmentation.agreement import adjusted_rand_index, mean_agreement
from ml.segmentation.spec import select_columns

Figures = dict[str, float]

COLUMNS = ("minutes_watched", "clv", "region", "channel_*", "region_*")
SEGMENTS = (
    "Instagram Explorers",
    "LinkedIn Networkers",
    "Friends' Influence",
    "Google-YouTube Mix",
    "Anglo-Saxon Multi-Channel",
    "European Multi-Channel",
    "Twitter Devotees",
    "Facebook Followers",
)
"""In the order of the published numbers."""
STARTS = 50
"""Random starts that are compared with each other."""
_OUTLIER_SEGMENT = SEGMENTS.index("Facebook Followers")


def customer_figures(frame: pl.DataFrame) -> Figures:
    """Return every figure of the published analysis, by key.

    Parameters
    ----------
    frame
        One row per customer: minutes_watched, clv, region, channel_*, region_*, and the text columns channel,
        region_name and segment_rule.
    """
    X, columns = _standardised(frame)
    rule = np.array([SEGMENTS.index(name) for name in frame["segment_rule"]])
    start = np.vstack([X[rule == segment].mean(axis=0) for segment in range(len(SEGMENTS))])
    anchored = KMeans(len(SEGMENTS), init=start, n_init=1, algorithm="lloyd").fit(X)
    return {
        **_exploration(frame),
        **_segments(frame, anchored.labels_, columns),
        "inertia.rules": float(anchored.inertia_),
        "inertia.left_their_rule": int((anchored.labels_ != rule).sum()),
        **_free_fits(X, frame),
        **_ward(X, anchored.labels_),
        **_separation(frame, anchored.labels_),
    }


def start_agreement(frame: pl.DataFrame) -> tuple[float, float]:
    """Return the best inertia of `STARTS` single random starts, and the mean adjusted Rand index between them."""
    X, _ = _standardised(frame)
    fits = [KMeans(len(SEGMENTS), n_init=1, random_state=seed).fit(X) for seed in range(STARTS)]
    return min(float(fit.inertia_) for fit in fits), mean_agreement(np.array([fit.labels_ for fit in fits]))


def _standardised(frame: pl.DataFrame) -> tuple[np.ndarray, list[str]]:
    numeric = [name for name in frame.columns if frame.schema[name].is_numeric()]
    columns = select_columns(COLUMNS, numeric)
    return StandardScaler().fit_transform(frame.select(columns).to_numpy().astype(np.float64)), columns


def _exploration(frame: pl.DataFrame) -> Figures:
    means = frame.select(pl.col("minutes_watched", "clv").mean()).row(0)
    return {
        "exploration.customers": len(frame),
        "exploration.mean_minutes": means[0],
        "exploration.mean_clv": means[1],
        "exploration.corr_minutes_clv": frame.select(pl.corr("minutes_watched", "clv")).item(),
        "exploration.corr_clv_region": frame.select(pl.corr("clv", "region")).item(),
    }


def _segments(frame: pl.DataFrame, labels: np.ndarray, columns: list[str]) -> Figures:
    figures: Figures = {}
    for segment in range(len(SEGMENTS)):
        members = frame.filter(pl.Series(labels == segment))
        means = members.select(pl.col(columns).mean()).row(0, named=True)
        figures |= {f"segment{segment}.{column}": float(mean) for column, mean in means.items()}
        figures[f"segment{segment}.members"] = len(members)
        figures[f"segment{segment}.share"] = len(members) / len(frame)
    return figures


def _free_fits(X: np.ndarray, frame: pl.DataFrame) -> Figures:
    figures: Figures = {
        f"free.{starts}_starts": float(KMeans(8, n_init=starts, random_state=42).fit(X).inertia_)
        for starts in (1, 10, 50)
    }
    for k in range(1, 11):
        figures[f"free.k{k}"] = float(KMeans(k, n_init=10, random_state=42).fit(X).inertia_)
    optimum = KMeans(8, n_init=50, random_state=1).fit(X)
    clv = frame["clv"].to_numpy().astype(np.float64)
    return {
        **figures,
        "free.optimum": float(optimum.inertia_),
        "separation.clv_by_optimum": 100 * _explained(clv, optimum.labels_),
    }


def _ward(X: np.ndarray, labels: np.ndarray) -> Figures:
    cut = fcluster(linkage(X, method="ward"), len(SEGMENTS), criterion="maxclust")
    sizes = sorted(np.bincount(cut)[1:].tolist())
    return {
        **{f"ward.size{place}": size for place, size in enumerate(sizes)},
        "ward.agreement": adjusted_rand_index(pl.Series(cut), pl.Series(labels)),
    }


def _separation(frame: pl.DataFrame, labels: np.ndarray) -> Figures:
    minutes, clv = (frame[name].to_numpy().astype(np.float64) for name in ("minutes_watched", "clv"))
    channel, region = frame["channel"].to_numpy(), frame["region_name"].to_numpy()
    outliers = minutes[labels == _OUTLIER_SEGMENT]
    return {
        "separation.minutes": 100 * _explained(minutes, labels),
        "separation.clv_by_region": 100 * _explained(clv, region),
        "separation.minutes_by_channel_p": float(
            kruskal(*(minutes[channel == one] for one in np.unique(channel))).pvalue
        ),
        "separation.largest_minutes": float(minutes.max()),
        "separation.facebook_without_largest": float(np.sort(outliers)[:-1].mean()),
    }


def _explained(values: np.ndarray, groups: np.ndarray) -> float:
    """Share of the variance between groups (eta squared)."""
    _, codes = np.unique(groups, return_inverse=True)
    sizes = np.bincount(codes)
    means = np.bincount(codes, values) / sizes
    return float((sizes * (means - values.mean()) ** 2).sum() / ((values - values.mean()) ** 2).sum())
