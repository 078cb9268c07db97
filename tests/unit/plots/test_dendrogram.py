"""What a reader may rely on in the tree of a hierarchical clustering."""

import sys
from subprocess import run

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import fcluster, linkage

from ml.plots.dendrogram import dendrogram
from ml.plots.encode import to_png
from ml.plots.palette import segment_colors

NAMES = ("Few", "Some", "Many")
SIZES = (20, 60, 120)


@pytest.fixture
def groups() -> np.ndarray:
    """Which of three groups that lie far apart each of 200 rows belongs to."""
    return np.repeat(range(3), SIZES)


@pytest.fixture
def tree(groups) -> np.ndarray:
    rng = np.random.default_rng(3)
    return linkage(rng.normal(size=(200, 2)) + groups[:, None] * [[30, 50]], "ward")


def texts(figure: Figure) -> tuple[str, str]:
    title, subtitle = (text.get_text().replace("\n", " ") for text in figure.texts)
    return title, subtitle


def branches(figure: Figure) -> set[str]:
    return {label.get_text() for label in figure.axes[0].get_yticklabels()}


@pytest.mark.parametrize(
    ("suggested", "title"),
    [
        (3, "Ward suggests k = 3, which is published"),
        (2, "Ward suggests k = 2; k = 3 is published"),
        (None, "Ward's tree cut into the 3 published segments"),
    ],
)
def test_the_title_says_what_the_tree_suggests_and_what_is_published(tree, suggested, title):
    assert texts(dendrogram(tree, published_k=3, suggested_k=suggested))[0] == title


def test_a_branch_bears_the_segment_most_of_its_rows_are_in(tree, groups):
    figure = dendrogram(tree, published_k=3, segment_ids=groups, names=NAMES)
    assert branches(figure) == {"Few (100% of 20)", "Some (100% of 60)", "Many (100% of 120)"}
    wedges = figure.axes[0].findobj(PolyCollection)[0]
    assert {to_hex(color) for color in wedges.get_facecolors()} == set(segment_colors(3))


def test_two_branches_of_one_segment_both_bear_its_name(tree, groups):
    joined = np.minimum(groups, 1)
    figure = dendrogram(tree, published_k=3, segment_ids=joined, names=("First", "Rest"))
    assert branches(figure) == {"First (100% of 20)", "Rest (100% of 60)", "Rest (100% of 120)"}


def test_without_segments_a_branch_bears_its_number_of_rows(tree):
    assert branches(dendrogram(tree, published_k=3)) == {"20 rows", "60 rows", "120 rows"}


@pytest.mark.parametrize("k", [1, 2, 5, 30, 200])
def test_the_cut_gives_the_branches_that_scipy_cuts(tree, k):
    expected = np.bincount(fcluster(tree, k, "maxclust"))[1:]
    drawn = dendrogram(tree, published_k=k).axes[0].get_yticklabels()
    assert sorted(int(label.get_text().split()[0]) for label in drawn) == sorted(expected)


def test_the_cut_is_drawn_between_the_merges_it_separates(tree):
    axes = dendrogram(tree, published_k=3, suggested_k=2).axes[0]
    published, suggested = (line.get_xdata()[0] for line in axes.lines)
    assert tree[-3, 2] < published < tree[-2, 2] < suggested < tree[-1, 2]


def test_no_cut_of_the_tree_passes_through_a_branch_below_it(tree):
    axes = dendrogram(tree, published_k=3).axes[0]
    cut = axes.lines[0].get_xdata()[0]
    crossed = [
        path
        for collection in axes.collections
        if not isinstance(collection, PolyCollection)
        for path in collection.get_paths()
        if path.vertices[:, 0].min() < cut < path.vertices[:, 0].max()
    ]
    assert len(crossed) == 3


def test_a_sample_is_said_to_be_one(tree):
    assert "Built on all 200 rows." in texts(dendrogram(tree, published_k=3, entities=200))[1]
    assert (
        "Built on a sample of 200 of 9,000 rows." in texts(dendrogram(tree, published_k=3, entities=9000))[1]
    )


def test_two_rows_and_rows_that_are_all_the_same_can_be_drawn():
    for rows in (np.array([[0.0], [1.0]]), np.zeros((40, 2))):
        for k in (1, 2):
            assert to_png(dendrogram(linkage(rows, "ward"), published_k=k)).startswith(b"\x89PNG")


@pytest.mark.parametrize("k", [0, 201])
def test_a_tree_is_not_cut_into_more_branches_than_it_has_rows(tree, k):
    with pytest.raises(ValueError, match=f"a tree of 200 rows cannot be cut into {k} branches"):
        dendrogram(tree, published_k=k)


def test_segment_ids_must_be_those_of_the_rows_of_the_tree(tree):
    with pytest.raises(ValueError, match="3 segment ids for a tree of 200 rows"):
        dendrogram(tree, published_k=2, segment_ids=np.arange(3), names=NAMES)


def test_scipy_is_imported_only_when_a_tree_is_drawn():
    code = "import sys, ml.plots.dendrogram; sys.exit('scipy.cluster' in sys.modules)"
    assert run([sys.executable, "-c", code], check=False).returncode == 0
