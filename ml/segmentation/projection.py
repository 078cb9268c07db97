"""Principal components of the prepared features: the map people look at.

Belongs here: PCA, its explained variance and loadings. Does not belong here: drawing.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import polars as pl

from ml.segmentation.assignment import one_thread_each

_CHUNK_ROWS = 16_384


@dataclass(frozen=True)
class Projection:
    """Fitted principal components.

    Attributes
    ----------
    mean : (d,) float64
    components : (c, d) float64, unit length; the entry of largest size is positive.
    explained_variance_ratio : (c,) float64
    """

    mean: np.ndarray
    components: np.ndarray
    explained_variance_ratio: np.ndarray

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; `from_dict` gives the same projection back, bit for bit."""
        return {
            "mean": self.mean.tolist(),
            "components": self.components.tolist(),
            "explained_variance_ratio": self.explained_variance_ratio.tolist(),
        }

    @classmethod
    def from_dict(cls, state: dict[str, Any]) -> Self:
        """Rebuild a projection that `to_dict` described."""
        return cls(**{name: np.array(values, dtype=np.float64) for name, values in state.items()})

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the coordinates of prepared rows, (n, c) float64."""
        return (X - self.mean) @ self.components.T

    def loadings(self, columns: tuple[str, ...]) -> pl.DataFrame:
        """Return one row per component and feature: component, feature, loading, explained_variance_ratio."""
        count, d = self.components.shape
        return pl.DataFrame(
            {
                "component": np.repeat(np.arange(1, count + 1, dtype=np.int32), d),
                "feature": list(columns) * count,
                "loading": self.components.ravel(),
                "explained_variance_ratio": np.repeat(self.explained_variance_ratio, d),
            }
        )


def principal_components(X: np.ndarray, count: int = 2) -> Projection:
    """Fit principal components through the covariance matrix (exact, and quick for d << n).

    Parameters
    ----------
    X : (n, d) float
        Prepared features.
    count
        Components wanted; fewer come back when d is smaller.
    """
    with one_thread_each("blas"):  # chunks this small only make a second thread wait
        mean, covariance = _moments(X)
    values, vectors = np.linalg.eigh(covariance)
    top = np.argsort(values)[::-1][:count]
    components = vectors[:, top].T
    largest = np.argmax(np.abs(components), axis=1)
    components = components * np.sign(components[np.arange(len(components)), largest])[:, None]
    total = values.sum()
    ratio = values[top] / total if total > 0 else np.zeros(len(top))
    return Projection(mean, components, ratio)


def _moments(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean (d,) and covariance (d, d) in float64; in chunks, so that no float64 copy of X is made."""
    total, products = np.zeros(X.shape[1]), np.zeros((X.shape[1], X.shape[1]))
    for start in range(0, len(X), _CHUNK_ROWS):
        chunk = X[start : start + _CHUNK_ROWS].astype(np.float64)
        total += chunk.sum(axis=0)
        products += chunk.T @ chunk
    mean = total / len(X)
    return mean, (products - len(X) * np.outer(mean, mean)) / max(len(X) - 1, 1)
