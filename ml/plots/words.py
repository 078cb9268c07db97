"""How plots, report and dashboard write numbers, columns and names.

Belongs here: text that is made of values. Does not belong here: measuring or drawing it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

_UPPER_CASE = {"tv": "TV", "imdb": "IMDb", "clv": "CLV", "id": "ID", "usa": "USA", "uk": "UK"}
_KINDS = {"avg": "mean", "cnt": "count"}
_LARGE = (("T", 1e12), ("B", 1e9), ("M", 1e6))
_UNITS = ("minutes", "seconds", "hours", "days", "share", "count")


def clean(text: str) -> str:
    """Return text on one line, without characters that cannot be printed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


def short_name(name: str, width: int = 30) -> str:
    """Return a segment name fit for a title: on one line, cut with an ellipsis."""
    name = clean(name) or "(no name)"
    return name if len(name) <= width else f"{name[: width - 1].rstrip()}…"


def feature_label(feature: str) -> str:
    """Return a column name as words: `total_titles` is `Total titles`, `avg_tv_movie` is `TV Movie`.

    The prefixes `avg_` and `cnt_` are left out, for the plot says what it shows; what they stand before
    is a name, so each of its words begins with a capital. A unit at the end goes into brackets
    (`runtime_minutes` is `Runtime (minutes)`).
    """
    words = [word for word in clean(feature).split("_") if word]
    is_name = len(words) > 1 and words[0] in _KINDS
    if is_name:
        words = words[1:]
    unit = f" ({words.pop()})" if len(words) > 1 and words[-1] in _UNITS else ""
    words = [_UPPER_CASE.get(word, word) for word in words]
    if not words:
        return feature
    return " ".join(_capital(word) if is_name or i == 0 else word for i, word in enumerate(words)) + unit


def feature_labels(
    features: Sequence[str], labels: Mapping[str, str] | None = None, *, with_kind: bool = False
) -> list[str]:
    """Return labels of several columns, told apart by kind where two would read the same.

    Parameters
    ----------
    features
        Column names.
    labels
        The declared label of a column, where it has one.
    with_kind
        Whether the kind is said, in brackets, of each column that has one: for labels that stand alone.
    """
    declared = labels or {}
    plain = [clean(declared.get(feature, "")) or feature_label(feature) for feature in features]
    labelled = []
    for feature, label in zip(features, plain, strict=True):
        kind = _KINDS.get(feature.split("_")[0], "")
        if kind and with_kind:
            labelled.append(f"{label} ({kind})")
        else:
            labelled.append(f"{label}, {kind}" if kind and plain.count(label) > 1 else label)
    return labelled


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage: 0.4628 is `46.3%`."""
    return f"{share:.{digits}%}" if np.isfinite(share) else "–"


def number(value: float) -> str:
    """Return a number in three digits or so: `0.97`, `12.3`, `1,916`, `7.65M`."""
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    for unit, factor in _LARGE:
        if size >= factor * 0.9995:
            return _minus(f"{value / factor:.3g}{unit}")
    if size >= 99.95 or value == round(value):
        return _minus(f"{value:,.0f}")
    if size >= 9.995:
        return _minus(f"{value:.1f}")
    return _minus(f"{value:.2f}" if size >= 0.005 else f"{value:.1g}")


def decimals(value: float, digits: int = 2) -> str:
    """Return a number with as many decimals as its neighbours in a table: `1,299.33`."""
    # Adding 0 after rounding takes the sign off a zero.
    return _minus(f"{round(value, digits) + 0.0:,.{digits}f}") if np.isfinite(value) else "–"


def in_kind(value: float, kind: str, unit: str | None = None) -> str:
    """Return a mean as its kind is written: a share or flag as a percentage, a year whole, else with its unit."""
    if kind in ("share", "flag"):
        return f"<{percent(0.001)}" if 0 < value < 0.0005 else percent(value)
    if kind == "year":
        return f"{value:.0f}"
    return f"{number(value)} {unit}" if unit else number(value)


def within_sentence(label: str) -> str:
    """Return a label as it stands within a sentence; the capital of an abbreviation or of a name after it stays."""
    return label if label[:2].isupper() else label[:1].lower() + label[1:]


def numbers_apart(first: float, second: float) -> tuple[str, str]:
    """Return two numbers in words, with a third decimal where they differ but would read the same."""
    texts = number(first), number(second)
    if texts[0] == texts[1] and first != second and max(abs(first), abs(second)) < 100:
        return _minus(f"{first:.3f}"), _minus(f"{second:.3f}")
    return texts


def map_finding(names: Sequence[str], centres: np.ndarray, held: float) -> str:
    """Say which two segments lie furthest apart on a map, and how much of the variance its two components hold.

    Parameters
    ----------
    names
        Of k segments.
    centres : (k, 2) float
    held
        From 0 to 1.
    """
    said = f"two components hold {percent(held)} of the variance"
    if len(names) < 2:
        return said.capitalize()
    apart = np.linalg.norm(centres[:, None] - centres[None], axis=2)
    a, b = divmod(int(np.argmax(apart)), len(names))
    return f"{short_name(names[a])} and {short_name(names[b])} lie furthest apart; {said}"


def tick_number(value: float, _position: int | None = None) -> str:
    """Return the label of a tick, exact but for float noise: `0.175`, `10,500`, `7.5M`."""
    for unit, factor in _LARGE:
        if abs(value) >= factor:
            return _minus(f"{value / factor:.10g}{unit}")
    return _minus(f"{round(value, 10) + 0.0:,.10g}")


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high` for a logarithmic axis: as few as possible, three at least."""
    ticks: list[float] = []
    for steps in ("1", "13", "125", "123456789"):
        candidates = [float(f"{step}e{exponent}") for exponent in range(-6, 16) for step in steps]
        ticks = [tick for tick in candidates if low <= tick <= high]
        if len(ticks) >= 3:
            break
    return ticks


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]


def _minus(text: str) -> str:
    return text.replace("-", "−")
