"""Where a measure lies on an axis from 0 to 1, however far its values reach.

Belongs here: choosing a linear or a logarithmic scale and its ticks. Does not belong here: drawing.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ml.plots.words import log_ticks

STRIP = 0.09
"""Share of a logarithmic scale that its zeros take."""
_AIR = 0.04
_ORDERS = 100
"""How many times the smallest value the largest one must be for a logarithmic scale."""
_LONG_TAIL = 10
"""How many times the 90th percentile the largest size must be, where values lie on both sides of 0."""
_DEEPEST = 6
"""Orders of magnitude below the median that a scale reaches at most: a stray 1e-300 must not stretch it."""
_MOST_TICKS = 5


@dataclass(frozen=True)
class Scale:
    """A scale.

    `place` takes values to places from 0 to 1, zeros to the middle of their strip where there is one;
    `ticks` are values in rising order, without the 0 of the strip.
    """

    place: Callable[[np.ndarray], np.ndarray]
    ticks: list[float]
    is_log: bool = False
    has_strip: bool = False


def choose_scale(values: np.ndarray) -> Scale:
    """Return a scale for finite values, (n,) float: logarithmic where they span more than two orders of magnitude.

    Zeros beside positive values get a strip of their own at the lower end. Values on both sides of 0 come
    arbitrarily close to it, so that only a long tail bends their axis (symmetrically).
    """
    sizes = np.abs(values[values != 0])
    if not len(sizes) or sizes.max() <= _ORDERS * sizes.min():
        return _linear(values)
    if values.min() >= 0:
        return _logarithmic(values)
    return (
        _two_sided(values, sizes) if sizes.max() > _LONG_TAIL * np.percentile(sizes, 90) else _linear(values)
    )


def _linear(values: np.ndarray) -> Scale:
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    air = _AIR * (high - low) or max(abs(high) * 0.1, 0.5)
    low, high = low - air, high + air
    return Scale(lambda given: (given - low) / (high - low), _round_ticks(low, high))


def _round_ticks(low: float, high: float) -> list[float]:
    """Return at least three multiples of 1, 2 or 5 times a power of ten, as far apart as possible."""
    power = 10.0 ** np.floor(np.log10(high - low))
    ticks = np.array([])
    for step in power * np.array([1, 0.5, 0.2, 0.1]):
        ticks = np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step
        if len(ticks) >= 3:
            break
    return ticks.tolist()


def _logarithmic(values: np.ndarray) -> Scale:
    positive = values[values > 0]
    low = max(np.log10(positive.min()), np.log10(np.median(positive)) - _DEEPEST)
    high = np.log10(positive.max())
    has_strip = bool((values == 0).any())
    start = _AIR + STRIP if has_strip else _AIR
    step = (1 - _AIR - start) / (high - low)

    def place(given: np.ndarray) -> np.ndarray:
        logs = np.log10(np.maximum(given, 10.0**low))
        return np.where(given > 0, start + (logs - low) * step, STRIP / 2)

    ticks = log_ticks(10**low, 10**high)
    return Scale(place, ticks[:: -(-len(ticks) // _MOST_TICKS)], is_log=True, has_strip=has_strip)


def _two_sided(values: np.ndarray, sizes: np.ndarray) -> Scale:
    unit = float(np.median(sizes))

    def forward(given: np.ndarray) -> np.ndarray:
        return np.sign(given) * np.log1p(np.abs(given) / unit)

    low, high = forward(np.array([values.min(), values.max()]))
    air = _AIR * (high - low)
    powers = 10.0 ** np.arange(np.ceil(np.log10(unit)), np.floor(np.log10(sizes.max())) + 1)
    powers = powers[::-1][::2][:2][::-1]
    ticks = [float(tick) for tick in (*-powers[::-1], 0.0, *powers) if values.min() <= tick <= values.max()]
    return Scale(lambda given: (forward(given) - low + air) / (high - low + 2 * air), ticks, is_log=True)
