"""The tree of a hierarchical clustering, cut at the number of segments.

Belongs here: drawing a given linkage. Does not belong here: building it or choosing where to cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.figure import Figure

from ml.plots.palette import ACCENT, INK, MUTED, segment_colors
from ml.plots.spacing import note
from ml.plots.style import WIDTH, add_axes, label_ticks, plot_style, text_width, titled_figure
from ml.plots.words import percent, short_name

_LEAST_LEAVES, _MOST_LEAVES = 24, 60
_ROW, _AXIS, _CUT, _LEFT = 0.17, 0.6, 0.18, 0.35
_LABEL_SIZE = 9.0
_NEUTRAL = (MUTED, "#a3a9b5")
"""Neighbouring branches are told apart where no segments are given."""


def dendrogram(
    linkage: np.ndarray,
    *,
    published_k: int,
    suggested_k: int | None = None,
    segment_ids: np.ndarray | None = None,
    names: Sequence[str] = (),
    entities: int | None = None,
    colors: Sequence[str] | None = None,
) -> Figure:
    """Draw the upper part of a Ward tree, cut into as many branches as segments are published.

    Parameters
    ----------
    linkage : (n - 1, 4) float
        As `scipy.cluster.hierarchy.linkage` gives it for n rows, n at least 2.
    published_k
        Number of branches below the cut, 1 to n.
    suggested_k
        The number of segments the tree itself suggests; the same as `published_k` or another one.
    segment_ids : (n,) int from 0 to len(names) - 1, optional
        The published segment of each row of the tree: a branch takes the colour and the name of the
        segment most of its rows are in.
    names
        Segment names, where `segment_ids` is given.
    entities
        How many there are in all, where the tree was built on a sample.
    colors
        Of the k segments; those of the ids 0 to k - 1 when omitted.

    Returns
    -------
    A figure whose title says both numbers of segments. The truncation is SciPy's `lastp`: the lowest
    merges are drawn as one triangle.

    Raises
    ------
    ValueError
        When `published_k` or `suggested_k` is not a number of branches the tree can be cut into.
    """
    rows = len(linkage) + 1
    for k in (published_k, suggested_k):
        if k is not None and not 1 <= k <= rows:
            raise ValueError(f"a tree of {rows} rows cannot be cut into {k} branches")
    if segment_ids is not None and len(segment_ids) != rows:
        raise ValueError(f"{len(segment_ids)} segment ids for a tree of {rows} rows")
    tree = _truncate(
        linkage, leaves=min(rows, max(_LEAST_LEAVES, min(2 * published_k, _MOST_LEAVES), published_k))
    )
    branch_of = _branches(linkage, published_k)
    palette = colors or segment_colors(len(names))
    branches = _describe(branch_of, tree, rows, segment_ids, list(zip(names, palette, strict=True)))
    right = max(text_width(branch.label, _LABEL_SIZE) for branch in branches) + 0.3
    top = _AXIS + _ROW * len(tree.leaves)
    body = top + _CUT * (1 if suggested_k in (None, published_k) else 2)
    with plot_style():
        figure = titled_figure(
            _title(published_k, suggested_k),
            _subtitle(len(tree.leaves), rows, entities, has_segments=segment_ids is not None),
            body=body,
        )
        axes = add_axes(figure, _LEFT, _AXIS, WIDTH - right, top)
        _draw_tree(axes, tree, linkage, branch_of, branches)
        _draw_cuts(axes, linkage, published_k, suggested_k)
        axes.set_yticks([branch.middle for branch in branches], [branch.label for branch in branches])
        axes.yaxis.tick_right()
        axes.tick_params(axis="y", length=0, labelcolor=INK, labelsize=_LABEL_SIZE)
        axes.grid(visible=False, axis="y")
        label_ticks(axes.xaxis)
        axes.set_xlabel("Ward distance (prepared units)")
    return figure


@dataclass(frozen=True)
class _Tree:
    """A truncated tree: nodes below n are rows, node n + i is what merge i made; leaf i lies at i."""

    leaves: np.ndarray
    places: np.ndarray  # (m, 4): of each fork the places of its first leg, twice, and of its second, twice
    heights: np.ndarray  # (m, 4): of each fork the first leg's foot, the joint, twice, and the second's foot
    legs: np.ndarray  # (m, 2): the nodes at the feet


@dataclass(frozen=True)
class _Branch:
    color: str
    label: str
    middle: float


def _truncate(linkage: np.ndarray, leaves: int) -> _Tree:
    """Return the part of a tree above its last `leaves` nodes, laid out by SciPy."""
    from scipy.cluster.hierarchy import dendrogram as lay_out  # noqa: PLC0415  0.3 s that only a tree needs

    forks: list[int] = []

    def note(node: int) -> str:
        forks.append(node)
        return "k"

    layout = lay_out(linkage, p=leaves, truncate_mode="lastp", no_plot=True, link_color_func=note)
    rows = len(linkage) + 1
    order = np.array(layout["leaves"], dtype=int)
    # SciPy's leaves lie at 5, 15, 25, …; its forks come in the order in which the colours were asked for.
    places = (np.array(layout["icoord"]) - 5) / 10
    legs = linkage[np.array(forks) - rows, :2].astype(int)
    heights = np.array(layout["dcoord"])
    height_of = np.append(np.zeros(rows), linkage[:, 2])
    # A contracted leaf's leg ends at the leaf's own height; SciPy draws it down to 0.
    heights[:, [0, 3]] = height_of[legs]
    return _Tree(order, places, heights, legs)


def _branches(linkage: np.ndarray, k: int) -> np.ndarray:
    """Return the branch, 0 to k - 1, of each of the 2n - 1 nodes; -1 above the cut."""
    rows = len(linkage) + 1
    children = linkage[:, :2].astype(int)
    parent = np.full(2 * rows - 1, 2 * rows)
    parent[children] = np.arange(rows, 2 * rows - 1)[:, None]
    first_above = 2 * rows - k
    branch_of = np.full(2 * rows - 1, -1)
    roots = np.flatnonzero(parent[:first_above] >= first_above)
    branch_of[roots] = np.arange(k)
    below = branch_of.tolist()  # a list: element by element an array takes four times as long
    for i, (left, right) in reversed(list(enumerate(children[: rows - k].tolist()))):
        below[left] = below[right] = below[rows + i]
    return np.array(below)


def _describe(
    branch_of: np.ndarray,
    tree: _Tree,
    rows: int,
    segment_ids: np.ndarray | None,
    segments: Sequence[tuple[str, str]],
) -> list[_Branch]:
    """Return colour, label and place of each branch; segments are names and colours."""
    sizes = np.bincount(branch_of[:rows])
    owners = branch_of[tree.leaves]
    middles = [float(np.flatnonzero(owners == i).mean()) for i in range(len(sizes))]
    if segment_ids is None:
        rank = np.argsort(np.argsort(middles))
        labels = [f"{size:,} row{'s' if size > 1 else ''}" for size in sizes]
        colors = [_NEUTRAL[i % len(_NEUTRAL)] for i in rank]
    else:
        shared = np.zeros((len(sizes), len(segments)), dtype=int)
        np.add.at(shared, (branch_of[:rows], np.asarray(segment_ids)), 1)
        most = shared.argmax(axis=1)
        colors = [segments[i][1] for i in most]
        labels = [
            f"{short_name(segments[i][0])} ({percent(shared[j, i] / sizes[j], 0)} of {sizes[j]:,})"
            for j, i in enumerate(most)
        ]
    return [_Branch(*found) for found in zip(colors, labels, middles, strict=True)]


def _draw_tree(
    axes: Axes, tree: _Tree, linkage: np.ndarray, branch_of: np.ndarray, branches: list[_Branch]
) -> None:
    rows = len(linkage) + 1
    lines, line_colors = [], []
    for places, heights, legs in zip(tree.places, tree.heights, tree.legs, strict=True):
        joint = (places[0] + places[3]) / 2
        for leg, node in enumerate(legs):
            at, foot = (places[0], heights[0]) if leg == 0 else (places[3], heights[3])
            branch = branch_of[node]
            below = branch >= 0 and branch_of[legs[1 - leg]] == branch
            lines.append([(foot, at), (heights[1], at), (heights[1], joint)])
            line_colors.append(branches[branch].color if below else INK)
    wedges = [
        [(linkage[node - rows, 2], i), (0, i - 0.33), (0, i + 0.33)]
        for i, node in enumerate(tree.leaves)
        if node >= rows
    ]
    wedge_colors = [branches[branch_of[node]].color for node in tree.leaves if node >= rows]
    axes.add_collection(PolyCollection(wedges, facecolors=wedge_colors, linewidths=0, alpha=0.6))
    axes.add_collection(LineCollection(lines, colors=line_colors, linewidths=1.3, capstyle="projecting"))
    axes.set_xlim(max(linkage[-1, 2], 1e-9) * 1.03, 0)
    axes.set_ylim(len(tree.leaves) - 0.5, -0.5)


def _draw_cuts(axes: Axes, linkage: np.ndarray, published_k: int, suggested_k: int | None) -> None:
    """Draw where the tree is cut, and where it would cut itself; each with its k above."""
    cuts = [(published_k, f"published: k = {published_k}", ACCENT, (0, (5, 3)))]
    if suggested_k is not None and suggested_k != published_k:
        cuts.append((suggested_k, f"Ward: k = {suggested_k}", MUTED, (0, (1, 2))))
    widest = axes.get_xlim()[0]
    for line, (k, text, color, dashes) in enumerate(cuts):
        at = _cut_height(linkage, k)
        axes.axvline(at, color=color, linewidth=1.4, linestyle=dashes, zorder=3)
        note(
            axes,
            text,
            (at, 1),
            xycoords=("data", "axes fraction"),
            shift=(-2 if at > widest / 2 else 2, 4 + 12 * line),
            va="baseline",
            ha="left" if at > widest / 2 else "right",
            color=color,
            weight="bold",
            size=_LABEL_SIZE,
        )


def _cut_height(linkage: np.ndarray, k: int) -> float:
    """Return a distance at which the tree has k branches: half way between two merges."""
    heights = np.concatenate([[0.0], linkage[:, 2], [linkage[-1, 2] * 1.03]])
    merged = len(linkage) + 1 - k
    return float(heights[merged] + heights[merged + 1]) / 2


def _title(published_k: int, suggested_k: int | None) -> str:
    if suggested_k is None:
        return f"Ward's tree cut into the {published_k} published segments"
    if suggested_k == published_k:
        return f"Ward suggests k = {suggested_k}, which is published"
    return f"Ward suggests k = {suggested_k}; k = {published_k} is published"


def _subtitle(drawn: int, rows: int, entities: int | None, *, has_segments: bool) -> str:
    text = "The further left two groups join, the less alike they are."
    if drawn < rows:
        text += f" A triangle is a group of rows; the {drawn - 1} highest joints are drawn."
    if has_segments:
        text += " Beside each branch the segment most of its rows are in."
    if entities is not None and entities > rows:
        return f"{text} Built on a sample of {rows:,} of {entities:,} rows."
    return f"{text} Built on all {rows:,} rows."
