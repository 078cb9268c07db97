"""The rule of each segment in words, from a small tree, or a sparse logit where a tree is too coarse.

Belongs here: tree and logit, their fidelity, the rules that are read off them. Does not belong here: which columns are
shown and what they are called (given), how segments are found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import floor, log10
from typing import Literal

import numpy as np
import polars as pl
from sklearn.model_selection import StratifiedKFold
from sklearn.tree import DecisionTreeClassifier

from ml.segmentation.assignment import one_thread_each
from ml.segmentation.errors import SegmentationError
from ml.segmentation.logit import Logit, fit_logits, with_one

DEPTH = 6
LEAST_FIDELITY = 0.7
"""Macro-F1 below which nothing is said: the tree knows other segments than these."""
GOOD_FIDELITY = 0.8
"""Macro-F1 from which a tree, whose rules have bounds, is told although a logit might find more members."""
LEAST_PRECISION = 0.5
"""Of a rule: where fewer of those it finds are members, it speaks of others."""
MOST_ROWS = 10_000
"""Of each part: the tree is grown on one, all figures come from the other."""
CHOSEN_ROWS = 3_000
"""How many of them, about as many of each segment, cross-validation chooses a model on, which is then fitted to all."""

_LEAVES = (1, 2, 3, 4)
"""Times as many leaves as segments; the fewest that do as well as the best are taken."""
_PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0)
"""Inverse strengths of the logit's, the fewest columns first."""
_ROUNDS, _LAST_ROUNDS = 100, 1_000
"""Of the logit's fit at most: where a penalty is chosen, and of the one that is told."""
_TERMS = 3
"""Columns that a logit's rule names either way; it says how many more weigh."""
_FOLDS = 5
_RESAMPLES = 999
_WORTH = 0.01
"""F1 that may be given up for a shorter rule; a second alternative must add twice as much."""

Kind = Literal["share", "flag", "year", "minutes", "count", "number", "code"]
_RULES = {
    "segment_id": pl.Int32,
    "rule": pl.String,
    "precision": pl.Float64,
    "coverage": pl.Float64,
    "reason": pl.String,
}


@dataclass(frozen=True)
class Shown:
    """How a column is spoken of.

    Attributes
    ----------
    label : what it is called, "share of Drama".
    kind : of its values: share (0 to 1), flag (0 or 1), year, minutes, count, or any other number.
    """

    label: str
    kind: Kind = "number"


@dataclass(frozen=True)
class Surrogate:
    """What a small tree or a sparse logit says of the segments.

    Attributes
    ----------
    macro_f1 : mean over segments (those of ten members or more) of the F1 of telling their members, on rows that were
        never seen; None where there are too few rows to hold any back.
    low, high : its 95 % interval.
    is_faithful : whether it is at least what was asked.
    rules : one row per segment: segment_id, rule (null where nothing can be said), precision (of those whom the rule
        finds, how many are members), coverage (of the members, how many it finds), both on rows that were never
        seen, and reason (why there is no rule; null where there is one).
    """

    macro_f1: float | None
    low: float | None
    high: float | None
    is_faithful: bool
    rules: pl.DataFrame


@dataclass(frozen=True)
class _Condition:
    """Bounds of one column; above `low`, at most `high` (a year: from `low`, before `high`)."""

    column: int
    low: float
    high: float
    is_year: bool

    def holds(self, X: np.ndarray) -> np.ndarray:
        values = X[:, self.column]
        if self.is_year:
            return (values >= self.low) & (values < self.high)
        return (values > self.low) & (values <= self.high)


_Rule = tuple[tuple[_Condition, ...], ...]
"""Alternatives; each is a set of conditions that hold together."""


def surrogate(
    frame: pl.DataFrame,
    segment_ids: np.ndarray,
    k: int,
    shown: Mapping[str, Shown],
    *,
    rng: np.random.Generator,
    least: float = LEAST_FIDELITY,
) -> Surrogate:
    """Explain segments by a small model over columns that people understand (Craven and Shavlik, 1996).

    Classes are balanced, so that a small segment counts as much as a large one. The rule of a tree is the node that
    finds the members of a segment best, or two of them: thresholds are rounded as they are written, conditions that
    change little are left out, and what remains is measured as it stands. Where taste is a matter of a little more of
    many things a tree is too coarse: a logit with an L1 penalty (Tibshirani, 1996) takes its place when it is more
    faithful, and its rule names the columns that weigh most.

    Parameters
    ----------
    frame
        One row per entity; a value that is missing counts as the column's median.
    segment_ids : (n,) int
        The segment of each row, 0 to k - 1.
    k
        Number of segments.
    shown
        The columns to explain by, and how they are spoken of.
    rng
        Divides the rows in two halves and breaks ties.
    least
        Macro-F1 below which no rule is told.

    Raises
    ------
    SegmentationError
        When a column is absent or not numeric.
    """
    X, columns = _matrix(frame, shown), list(shown.values())
    grown_on, held_out = _halves(segment_ids, rng)
    told = np.flatnonzero(np.bincount(segment_ids[grown_on], minlength=k) >= _FOLDS)
    few = f"fewer than {2 * _FOLDS} members: too few to find a rule and to judge it"
    if len(told) < 2 or not columns:
        no_other = "no other segment has enough members to tell it from"
        reason = no_other if columns else "no columns to explain by"
        return Surrogate(None, None, None, False, _silent(k, told if columns else range(k), reason, few))
    grown_on, held_out = (rows[np.isin(segment_ids[rows], told)] for rows in (grown_on, held_out))
    places = np.searchsorted(told, segment_ids)
    with one_thread_each("blas"):
        model = _fitted(X[grown_on], places[grown_on], len(told), rng)
    answers = model.predict(X[held_out])
    macro_f1, low, high = _fidelity(places[held_out], answers, len(told), rng)
    if macro_f1 < least:
        reason = f"these columns tell the segments apart with a macro-F1 of {macro_f1:.2f} only ({least:.2f} is asked)"
        return Surrogate(macro_f1, low, high, False, _silent(k, told, reason, few))
    rules: dict[int, tuple[int, str | None, float | None, float | None, str | None]] = {
        i: (i, None, None, None, few) for i in range(k)
    }
    for place, i in enumerate(told.tolist()):
        if isinstance(model, Logit):
            words, found = _weights_in_words(model, place, columns), answers == place
        else:
            rule = _rule_of(model, X[grown_on], places[grown_on] == place, columns)
            words = _in_words(rule, columns) if rule and all(rule) else None
            found = _found(rule, X[held_out])
        precision, coverage = _precision_and_coverage(found, places[held_out] == place)
        if not words or precision < LEAST_PRECISION:
            rules[i] = (i, None, None, None, "no rule was found that picks mostly its members")
        else:
            rules[i] = (i, words, precision, coverage, None)
    return Surrogate(
        macro_f1, low, high, True, pl.DataFrame(list(rules.values()), schema=_RULES, orient="row")
    )


def _matrix(frame: pl.DataFrame, shown: Mapping[str, Shown]) -> np.ndarray:
    if absent := [column for column in shown if column not in frame.columns]:
        msg = f"surrogate: no column {absent[0]!r}; there are: {', '.join(frame.columns)}"
        raise SegmentationError(msg)
    if texts := [c for c in shown if not (frame.schema[c].is_numeric() or frame.schema[c] == pl.Boolean)]:
        msg = f"surrogate: the columns to explain by must be numbers; not a number: {', '.join(texts)}"
        raise SegmentationError(msg)
    known = frame.select(pl.col(*shown).cast(pl.Float64).fill_nan(None)) if shown else frame.select([])
    return known.with_columns(pl.all().fill_null(pl.all().median())).fill_null(0).to_numpy()


def _halves(segment_ids: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return row numbers of two parts, each with half of every segment or as much of it as `MOST_ROWS` leave."""
    order = rng.permutation(len(segment_ids))
    if len(order) > 2 * MOST_ROWS:
        order = order[: 2 * MOST_ROWS]
    order = order[np.argsort(segment_ids[order], kind="stable")]
    return order[::2], order[1::2]


def _fitted(X: np.ndarray, y: np.ndarray, k: int, rng: np.random.Generator) -> DecisionTreeClassifier | Logit:
    """Fit the tree, or the logit where that is more faithful and no tree is good enough."""
    some = slice(None, None, -(-len(y) // CHOSEN_ROWS))  # they come by segment
    seed = int(rng.integers(2**31))
    folds = list(StratifiedKFold(_FOLDS, shuffle=True, random_state=seed).split(X[some], y[some]))
    tree = DecisionTreeClassifier(
        max_depth=DEPTH,
        max_leaf_nodes=max(_LEAVES[-1] * k, 2),
        min_samples_leaf=max(2, min(50, len(y) // (50 * k))),
        class_weight="balanced",
        random_state=seed,
    )
    leaves, score = _simplest(_of_trees(tree, X[some], y[some], k, folds))
    if score < GOOD_FIDELITY:
        shift, scale = X.mean(axis=0), X.std(axis=0)
        scale[scale == 0] = 1
        Z = with_one((X - shift) / scale)
        scores, weights = _of_logits(Z[some], y[some], k, folds)
        chosen, better = _simplest(scores)
        if better > score:
            whole, start = np.ones((1, len(y)), dtype=bool), weights[chosen].mean(axis=0, keepdims=True)
            told = fit_logits(Z, y, whole, start, [_PENALTIES[chosen]], rounds=_LAST_ROUNDS)
            return Logit(shift, scale, told[0, 0])
    return tree.set_params(max_leaf_nodes=max(_LEAVES[leaves] * k, 2)).fit(X, y)


_Folds = Sequence[tuple[np.ndarray, np.ndarray]]
"""Row numbers to fit on and to judge on."""


def _simplest(scores: np.ndarray) -> tuple[int, float]:
    """Return the first model within one standard error of the best (Breiman et al., 1984), and its mean score.

    Scores are (models, folds).
    """
    means = scores.mean(axis=1)
    best = int(means.argmax())
    error = scores[best].std(ddof=1) / np.sqrt(scores.shape[1])
    chosen = int(np.flatnonzero(means >= means[best] - error)[0])
    return chosen, float(means[chosen])


def _of_trees(
    tree: DecisionTreeClassifier, X: np.ndarray, y: np.ndarray, k: int, folds: _Folds
) -> np.ndarray:
    """Return the macro-F1 of a tree of each number of leaves in each fold, (sizes, folds).

    A tree grows where it gains most, so that the smaller ones are in the largest: their nodes are its first.
    """
    scores = []
    for fitted_on, judged_on in folds:
        grown = tree.fit(X[fitted_on], y[fitted_on])
        classes = grown.classes_[grown.tree_.value[:, 0].argmax(axis=1)]
        path = grown.decision_path(X[judged_on])
        row = np.repeat(np.arange(path.shape[0]), np.diff(path.indptr))
        sizes = []
        for times in _LEAVES:
            within = path.indices < 2 * max(times * k, 2) - 1
            last = np.zeros(path.shape[0], dtype=np.int64)
            np.maximum.at(last, row[within], path.indices[within])
            sizes.append(_table(y[judged_on], classes[last], k))
        scores.append(_macro_f1(np.array(sizes)))
    return np.array(scores).T


def _of_logits(Z: np.ndarray, y: np.ndarray, k: int, folds: _Folds) -> tuple[np.ndarray, np.ndarray]:
    """Return the macro-F1 of a logit of each penalty in each fold, (penalties, folds), and the logits' weights."""
    fitted_on = np.zeros((len(folds), len(y)), dtype=bool)
    for fold, (rows, _) in enumerate(folds):
        fitted_on[fold, rows] = True
    start = np.zeros((len(folds), k, Z.shape[1]), dtype=np.float32)
    weights = fit_logits(Z, y, fitted_on, start, _PENALTIES, rounds=_ROUNDS)
    tables = [
        [_table(y[rows], np.argmax(Z[rows] @ W.T, axis=1), k) for W, (_, rows) in zip(of, folds, strict=True)]
        for of in weights
    ]
    return _macro_f1(np.array(tables)), weights


def _table(truth: np.ndarray, told: np.ndarray, k: int) -> np.ndarray:
    """Count rows by truth and answer, (k, k)."""
    return np.bincount(truth * k + told, minlength=k * k).reshape(k, k).astype(np.float64)


def _fidelity(
    truth: np.ndarray, told: np.ndarray, k: int, rng: np.random.Generator
) -> tuple[float, float, float]:
    """Return macro-F1 and its bootstrap interval: resampled rows are a resampled table of truth and answer."""
    table = _table(truth, told, k)
    drawn = rng.multinomial(len(truth), table.ravel() / table.sum(), size=_RESAMPLES)
    low, high = np.quantile(_macro_f1(drawn.reshape(-1, k, k)), [0.025, 0.975])
    return float(_macro_f1(table)), float(low), float(high)


def _macro_f1(tables: np.ndarray) -> np.ndarray:
    """Return the mean F1 of the classes of tables (..., k, k) of truth and answer."""
    right = np.diagonal(tables, axis1=-2, axis2=-1)
    both = tables.sum(axis=-2) + tables.sum(axis=-1)
    return (2 * right / np.maximum(both, 1)).mean(axis=-1)


def _rule_of(tree: DecisionTreeClassifier, X: np.ndarray, own: np.ndarray, columns: Sequence[Shown]) -> _Rule:
    """Return the node that finds the members best, and another where that adds much."""
    whole = [_is_whole(X[:, column]) for column in range(X.shape[1])]
    nodes = [_rounded(box, columns, whole) for box in _boxes(tree)]
    rule: _Rule = ()
    for _ in range(2):
        longer = [(*rule, node) for node in nodes if node not in rule]
        best = max(longer, key=lambda some: _f1(some, X, own), default=rule)
        if not rule or _f1(best, X, own) > _f1(rule, X, own) + 2 * _WORTH:
            rule = best
    return _shortened(rule, X, own)


def _boxes(tree: DecisionTreeClassifier) -> list[dict[int, tuple[float, float]]]:
    """Return the bounds, by column, of every node below the root; one pair a column, however often it is cut."""
    nodes, found = tree.tree_, []
    waiting: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while waiting:
        node, box = waiting.pop()
        found.append(box)
        if nodes.children_left[node] == nodes.children_right[node]:
            continue
        column, cut = int(nodes.feature[node]), float(nodes.threshold[node])
        low, high = box.get(column, (-np.inf, np.inf))
        waiting.append((int(nodes.children_right[node]), {**box, column: (cut, high)}))
        waiting.append((int(nodes.children_left[node]), {**box, column: (low, cut)}))
    return found[1:]


def _is_whole(values: np.ndarray) -> bool:
    """Return whether all values are whole numbers."""
    return bool((values == np.floor(values)).all())


def _rounded(
    box: Mapping[int, tuple[float, float]], columns: Sequence[Shown], whole: Sequence[bool]
) -> tuple[_Condition, ...]:
    return tuple(
        _Condition(
            column,
            low=_round(low, columns[column], is_whole=whole[column]),
            high=_round(high, columns[column], is_whole=whole[column]),
            is_year=columns[column].kind == "year",
        )
        for column, (low, high) in sorted(box.items())
    )


def _round(cut: float, shown: Shown, *, is_whole: bool) -> float:
    """Return a cut as it is written."""
    if np.isinf(cut) or cut == 0:
        return cut
    if shown.kind == "year":
        return float(floor(cut) + 1 if is_whole else round(cut))
    if is_whole:
        return float(floor(cut))
    digits = 2 - floor(log10(abs(cut)))  # three of them
    if shown.kind == "share":
        digits = 2 if 0.1 <= cut <= 0.9 else 3
    return round(cut, digits)


def _shortened(rule: _Rule, X: np.ndarray, own: np.ndarray) -> _Rule:
    """Leave out bounds and alternatives as long as the rule finds its members about as well without."""
    least = _f1(rule, X, own) - _WORTH
    while True:
        without_one = [tuple(other for other in rule if other != leaf) for leaf in rule if len(rule) > 1]
        looser = [
            tuple(_without(condition, side, other) if other == leaf else other for other in rule)
            for leaf in rule
            for condition in leaf
            for side in ("low", "high")
            if np.isfinite(getattr(condition, side))
        ]
        shorter = max([*without_one, *looser], key=lambda some: _f1(some, X, own), default=())
        if _f1(shorter, X, own) < least:
            return rule
        rule = shorter


def _without(condition: _Condition, side: str, leaf: tuple[_Condition, ...]) -> tuple[_Condition, ...]:
    """Return the conditions with one bound of one of them lifted."""
    lifted = replace(condition, low=-np.inf) if side == "low" else replace(condition, high=np.inf)
    left = (lifted if other == condition else other for other in leaf)
    return tuple(other for other in left if np.isfinite([other.low, other.high]).any())


def _found(rule: _Rule, X: np.ndarray) -> np.ndarray:
    found = np.zeros(len(X), dtype=bool)
    for alternative in rule:
        holds = np.ones(len(X), dtype=bool)
        for condition in alternative:
            holds &= condition.holds(X)
        found |= holds
    return found


def _precision_and_coverage(found: np.ndarray, own: np.ndarray) -> tuple[float, float]:
    right = float((found & own).sum())
    return right / max(found.sum(), 1), right / max(own.sum(), 1)


def _f1(rule: _Rule, X: np.ndarray, own: np.ndarray) -> float:
    found = _found(rule, X)
    return float(2 * (found & own).sum() / max(found.sum() + own.sum(), 1))


def _silent(k: int, told: Sequence[int] | np.ndarray, reason: str, few: str) -> pl.DataFrame:
    """Return no rule for any segment: for one reason, or for another where a segment has too few members."""
    rows = [(i, None, None, None, reason if i in told else few) for i in range(k)]
    return pl.DataFrame(rows, schema=_RULES, orient="row")


def _weights_in_words(logit: Logit, i: int, columns: Sequence[Shown]) -> str | None:
    """Return which columns weigh most for a segment, either way."""
    own = logit.weights[i, :-1]
    order = np.argsort(-np.abs(own), kind="stable")
    higher, lower = ([columns[j].label for j in order if sign * own[j] > 0] for sign in (1, -1))
    said = [
        f"the {word} {', '.join(labels[:_TERMS])}"
        for word, labels in (("higher", higher), ("lower", lower))
        if labels
    ]
    more = max(len(higher) - _TERMS, 0) + max(len(lower) - _TERMS, 0)
    return (
        f"likelier {' and '.join(said)}{f'; {more} more columns weigh less' if more else ''}"
        if said
        else None
    )


def _in_words(rule: _Rule, columns: Sequence[Shown]) -> str:
    return "; or ".join(
        ", ".join(_condition_in_words(condition, columns[condition.column]) for condition in alternative)
        for alternative in rule
    )


def _condition_in_words(condition: _Condition, shown: Shown) -> str:
    if shown.kind == "flag":
        return shown.label if np.isfinite(condition.low) else f"not {shown.label}"
    low, high = (_figure(end, shown) for end in (condition.low, condition.high))
    if condition.is_year:
        above, below, between = f"{low} or later", f"before {high}", f"from {low} to before {high}"
    else:
        above, below, between = f"above {low}", f"at most {high}", f"above {low} and at most {high}"
    if np.isinf(condition.high):
        return f"{shown.label} {above}"
    return f"{shown.label} {below if np.isinf(condition.low) else between}"


def _figure(value: float, shown: Shown) -> str:
    if np.isinf(value):
        return ""
    match shown.kind:
        case "share":
            return f"{100 * value:.3g} %"
        case "year":
            return f"{value:.0f}"
        case "minutes":
            return f"{value:,.0f} minutes" if value >= 100 else f"{value:.3g} minutes"
        case _:
            return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
