"""Small, seeded inputs that look like a real segmentation."""

from collections.abc import Callable
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest


@dataclass(frozen=True)
class Segmented:
    names: tuple[str, ...]
    ids: np.ndarray
    points: np.ndarray
    centres: np.ndarray
    titles_per_user: np.ndarray

    @property
    def sizes(self) -> pl.DataFrame:
        members = np.bincount(self.ids, minlength=len(self.names))
        return pl.DataFrame(
            {
                "segment_id": range(len(self.names)),
                "segment_name": self.names,
                "members": members,
                "share": members / len(self.ids),
            }
        )


def _make_segmented(names: tuple[str, ...], sizes: tuple[int, ...]) -> Segmented:
    rng = np.random.default_rng(7)
    ids = rng.permutation(np.repeat(np.arange(len(names)), sizes))
    centres = rng.normal(size=(len(names), 2)) * 3
    return Segmented(
        names=names,
        ids=ids,
        points=centres[ids] + rng.normal(size=(len(ids), 2)),
        centres=centres,
        titles_per_user=np.round(np.exp(1 + ids / 2 + rng.normal(size=len(ids)))) + 1,
    )


@pytest.fixture(autouse=True, scope="session")
def _settled_backend() -> None:
    """Choose the backend now: matplotlib would do it when somebody first compares its settings."""
    mpl.use("agg")


@pytest.fixture
def make_segmented() -> Callable[[tuple[str, ...], tuple[int, ...]], Segmented]:
    """Invent members of segments with the given names and sizes."""
    return _make_segmented


@pytest.fixture
def personas() -> Segmented:
    names = (
        "Quiet Viewers (Churn Risk)",
        "New Explorers",
        "Expanding Enthusiasts",
        "Loyalists",
        "Premium Loyalists",
    )
    return _make_segmented(names, (900, 1400, 1800, 700, 3))


@pytest.fixture
def k_metrics() -> pl.DataFrame:
    inertia = [7_649_659, 6_220_938, 5_443_210, 4_994_238, 4_700_000, 4_480_000, 4_300_000]
    k = list(range(2, 9))
    return pl.DataFrame(
        {
            "k": k,
            "inertia": [float(value) for value in inertia],
            "silhouette": [0.497, 0.208, 0.186, 0.157, 0.14, 0.13, 0.12],
            "calinski_harabasz": [103_711.0, 94_292, 84_504, 75_050, 66_900, 60_000, 55_000],
            "davies_bouldin": [0.96, 1.42, 1.45, 1.55, 1.57, 1.6, 1.62],
            "size_min": [21_000, 15_000, 9_000, 4_000, 2_000, 900, 450],
            "size_max": [240_000, 150_000, 120_000, 100_000, 90_000, 80_000, 75_000],
            "is_elbow": [value == 4 for value in k],
            "is_published": [value == 5 for value in k],
        }
    )


@pytest.fixture
def profile(personas: Segmented) -> pl.DataFrame:
    means = {
        "avg_drama": (3.0, [1.5, 3.0, 3.1, 3.4, 4.0]),
        "avg_science_fiction": (2.0, [0.1, 1.9, 2.2, 2.6, 3.2]),
        "avg_tv_movie": (0.1, [0.0, 0.09, 0.11, 0.12, 0.2]),
    }
    return pl.DataFrame(
        [
            {
                "segment_id": i,
                "segment_name": personas.names[i],
                "feature": feature,
                "segment_mean": segment_mean,
                "base_mean": base,
                "index": 100 * segment_mean / base,
            }
            for feature, (base, by_segment) in means.items()
            for i, segment_mean in enumerate(by_segment)
        ]
    )
