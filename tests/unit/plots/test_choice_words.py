"""What is said of the number of segments: which one is published, what others would have cost."""

import polars as pl

from ml.plots.choice_words import candidates, choice

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


def said(ward_k: int | None = None, **more: object) -> str:
    return " ".join(choice(candidates(pl.DataFrame(METRICS | more)), ward_k=ward_k))


def test_what_elbow_ward_and_indices_would_have_taken_is_said_with_its_price():
    words = said(ward_k=2, **WORTH)
    assert "4 segments are published (held-out lift 1.50, stability 0.80)." in words
    cost = "(held-out lift 1.25 instead of 1.50, stability 0.95 instead of 0.80, smallest segment 4 instead of 3)"
    assert f"The elbow would take k = 3 {cost}:" in words
    two = "k = 2 (held-out lift 1.10 instead of 1.50, stability 0.70 instead of 0.80, smallest segment 5 instead of 3)"
    assert f"Ward's tree would take {two}." in words
    assert f"would take {two}: its index is highest." in words


def test_what_would_take_the_published_number_costs_nothing():
    assert "Ward's tree would take k = 4 (the published number)." in said(ward_k=4)


def test_where_nothing_is_known_of_held_out_choices_the_silhouette_is_the_price():
    for words in (said(), said(lift=[None] * 3, bootstrap_ari=[None] * 3)):
        assert "lift" not in words
        assert (
            "The elbow would take k = 3 (silhouette 0.40 instead of 0.30, smallest segment 4 instead of 3):"
            in words
        )
