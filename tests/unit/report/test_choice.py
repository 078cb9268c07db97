"""What the report says of the number of segments: which one is published, what others would have cost."""

import polars as pl

from report.sections.choice import candidates, choice

METRICS = {
    "segmentation": ["taste"] * 3,
    "k": [2, 3, 4],
    "inertia": [30.0, 20.0, 15.0],
    "silhouette": [0.5, 0.4, 0.3],
    "calinski_harabasz": [9.0, 8.0, 7.0],
    "davies_bouldin": [1.0, 0.9, 1.1],
    "size_min": [5, 4, 3],
    "size_max": [9, 8, 7],
    "is_elbow": [False, True, False],
    "is_published": [False, False, True],
}
WORTH = {"lift": [1.1, 1.25, 1.5], "bootstrap_ari": [0.7, 0.95, 0.8]}


def said(**more: object) -> str:
    return " ".join(choice(candidates(pl.DataFrame(METRICS | more)), is_anchored=False))


def test_what_elbow_and_indices_would_have_taken_is_said_with_its_price():
    words = said(**WORTH)
    assert "4 segments are published (held-out lift 1.50, stability 0.80)." in words
    assert "The elbow is at k = 3 (held-out lift 1.25, stability 0.95):" in words
    assert "k = 2 would be best (held-out lift 1.10, stability 0.70): its index is highest." in words


def test_where_nothing_is_known_of_it_no_price_is_said():
    assert "lift" not in said()
    assert "lift" not in said(lift=[None] * 3, bootstrap_ari=[None] * 3)
