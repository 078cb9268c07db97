"""What a reader may rely on in the correlation heat map."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ml.plots.correlations import correlations
from ml.plots.encode import to_png

FEATURES = ["minutes_watched", "clv", "kind_a", "kind_b"]


@pytest.fixture
def matrix() -> np.ndarray:
    lower = np.array([[0, 0, 0, 0], [0.114, 0, 0, 0], [0.02, -0.273, 0, 0], [-0.001, 0.1, -0.94, 0]])
    return lower + lower.T + np.eye(4)


def written(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def title(figure: Figure) -> str:
    return figure.texts[0].get_text().replace("\n", " ")


def framed(figure: Figure) -> tuple[float, float]:
    (frame,) = (patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle))
    return frame.get_xy()


def test_the_title_names_the_strongest_pair_and_its_cell_is_framed(matrix):
    figure = correlations(matrix, FEATURES)
    assert title(figure) == "Strongest correlation: Kind a and Kind b (−0.94)"
    assert framed(figure) == (1.5, 2.5)


def test_columns_made_from_one_another_are_drawn_but_not_called_the_strongest(matrix):
    figure = correlations(matrix, FEATURES, families=[["kind_a", "kind_b"]])
    assert title(figure) == "Strongest correlation: CLV and Kind a (−0.27)"
    assert "−0.94" in written(figure)


def test_each_pair_is_written_once_and_each_name_once(matrix):
    cells = ["0.11", "0.02", "−0.27", "0.00", "0.10", "−0.94"]
    assert written(correlations(matrix, FEATURES)) == [*cells, "Minutes watched", "CLV", "Kind a", "Kind b"]


def test_declared_labels_are_used(matrix):
    figure = correlations(matrix, FEATURES, labels={"kind_a": "TV Movie"})
    assert "TV Movie" in written(figure)
    assert "TV Movie" in title(figure)


def test_a_constant_feature_has_dashes_and_the_reader_is_told_why(matrix):
    matrix[1] = matrix[:, 1] = np.nan
    figure = correlations(matrix, FEATURES)
    assert written(figure).count("–") == 3
    assert "A dash: one of the two is constant." in figure.texts[1].get_text().replace("\n", " ")


@pytest.mark.parametrize("d", [1, 2])
def test_few_features_can_be_drawn(d):
    figure = correlations(np.eye(d), FEATURES[:d])
    assert title(figure) == "No two features move together"
    to_png(figure)


def test_of_very_many_features_those_with_the_strongest_pairs_are_drawn():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(60, 45))
    columns[:, 44] = columns[:, 0] + 0.01 * rng.normal(size=60)
    figure = correlations(np.corrcoef(columns.T), [f"f{i}" for i in range(45)])
    assert title(figure) == "Strongest correlation: F0 and F44 (1.00)"
    assert "The 30 of 45 features with the strongest pairs." in figure.texts[1].get_text().replace("\n", " ")


def test_a_matrix_must_fit_the_features(matrix):
    with pytest.raises(ValueError, match="4, 4"):
        correlations(matrix, FEATURES[:3])
