"""A trained model as named arrays, and back: what is stored is numbers, never pickled code.

Belongs here: the two translations, the same model for more titles. Does not belong here: files.
"""

from dataclasses import fields
from typing import Any

import numpy as np
import scipy.sparse as sp

from ml.recommendation.als import FittedAls
from ml.recommendation.blend import FittedBlend
from ml.recommendation.content import FittedContent
from ml.recommendation.ease import EaseOverItems, EaseOverUsers
from ml.recommendation.errors import RecommendationError
from ml.recommendation.neighbours import FittedNeighbours
from ml.recommendation.popularity import FittedPopularity
from ml.recommendation.ranking import Fitted

_KINDS: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        EaseOverItems,
        EaseOverUsers,
        FittedAls,
        FittedContent,
        FittedNeighbours,
        FittedPopularity,
    )
}
_BLEND = FittedBlend.__name__
_CSR = ("data", "indices", "indptr", "shape")
_TITLES_ALONG: dict[str, tuple[int, ...]] = {
    "by_item": (0,),
    "fallback": (0,),
    "item_factors": (0,),
    "popularity": (0,),
    "scale": (0,),
    "similarity": (0, 1),
    "solved": (1,),
    "vectors": (0,),
}
"""Axes of what a trained model holds along which its titles stand."""


def to_arrays(fitted: Fitted, prefix: str = "") -> dict[str, np.ndarray]:
    """Return everything a trained model holds, by name.

    Parameters
    ----------
    fitted
        A trained model of this package.
    prefix
        Stands before every name.
    """
    arrays = {f"{prefix}kind": np.array(type(fitted).__name__)}
    if isinstance(fitted, FittedBlend):
        arrays |= {f"{prefix}weights": np.array(fitted.weights), f"{prefix}fallback": fitted.fallback}
        for place, part in enumerate(fitted.parts):
            arrays |= to_arrays(part, f"{prefix}{place}.")
        return arrays
    for field in fields(_KINDS[type(fitted).__name__]):
        value = getattr(fitted, field.name)
        if isinstance(value, sp.csr_array):
            arrays |= {f"{prefix}{field.name}.{part}": np.asarray(getattr(value, part)) for part in _CSR}
        else:
            arrays[f"{prefix}{field.name}"] = np.asarray(value)
    return arrays


def from_arrays(arrays: dict[str, np.ndarray], prefix: str = "") -> Fitted:
    """Return the trained model that these arrays hold: the same scores to the last bit.

    Parameters
    ----------
    arrays
        As `to_arrays` gives them.
    prefix
        As it was given there.

    Raises
    ------
    RecommendationError
        When the arrays are of no model of this package.
    """
    name = str(arrays.get(f"{prefix}kind", "nothing"))
    if name == _BLEND:
        weights = tuple(float(weight) for weight in arrays[f"{prefix}weights"])
        parts = tuple(from_arrays(arrays, f"{prefix}{place}.") for place in range(len(weights)))
        return FittedBlend(parts, weights, arrays[f"{prefix}fallback"])
    if name not in _KINDS:
        msg = f"the stored arrays are of no recommender, but of {name}; train it again"
        raise RecommendationError(msg)
    kind = _KINDS[name]
    fitted: Fitted = kind(**{field.name: _value(arrays, f"{prefix}{field.name}") for field in fields(kind)})
    return fitted


def widened(fitted: Fitted, places: np.ndarray, items: int) -> Fitted:
    """Return the same trained model for more titles: of those that it was not trained on it knows nothing.

    Parameters
    ----------
    fitted
        A trained model of this package.
    places : (titles,) int
        Columns that its titles have now, ascending.
    items
        Titles that there are now.
    """
    if isinstance(fitted, FittedBlend):
        parts = tuple(widened(part, places, items) for part in fitted.parts)
        return FittedBlend(parts, fitted.weights, _widened("fallback", fitted.fallback, places, items))
    kind = _KINDS[type(fitted).__name__]
    values = {field.name: getattr(fitted, field.name) for field in fields(kind)}
    wide: Fitted = kind(**{name: _widened(name, value, places, items) for name, value in values.items()})
    return wide


def _widened(name: str, value: Any, places: np.ndarray, items: int) -> Any:
    if name == "kept":
        return places[value]
    for axis in _TITLES_ALONG.get(name, ()):
        shape = tuple(items if at == axis else length for at, length in enumerate(value.shape))
        if isinstance(value, sp.csr_array):
            cells = value.tocoo()
            row, column = (places[at] if of == axis else at for of, at in enumerate(cells.coords))
            value = sp.csr_array(sp.coo_array((cells.data, (row, column)), shape=shape))
        else:
            # What is said of titles in one number is lowest where nothing is known, so that they are never first.
            wide = np.full(shape, value.min() if value.ndim == 1 else 0, dtype=value.dtype)
            wide[(slice(None),) * axis + (places,)] = value
            value = wide
    return value


def _value(arrays: dict[str, np.ndarray], name: str) -> Any:
    if f"{name}.indptr" in arrays:
        data, indices, indptr, shape = (arrays[f"{name}.{part}"] for part in _CSR)
        return sp.csr_array((data, indices, indptr), shape=tuple(int(length) for length in shape))
    value = arrays[name]
    return value if value.ndim else value.item()
