"""A whole run on the public files gives what was published of their customers."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from tests.integration.conftest import mart
from tests.published_customers import PUBLISHED

pytestmark = [pytest.mark.real_data, pytest.mark.long]


@pytest.fixture(scope="module")
def of_customers(real_warehouse: Path) -> Callable[[str], pl.DataFrame]:
    """What a mart of the run on the public files says of the customers."""
    return lambda name: mart(real_warehouse, name).filter(segmentation="customer_acquisition")


def test_the_public_file_gives_the_published_table_to_the_printed_digit(of_customers):
    segments = of_customers("segments")
    assert dict(segments["segment_name", "members"].iter_rows()) == {
        name: figures[3] for name, figures in PUBLISHED.items()
    }
    assert segments.sort("segment_id")["segment_name"].to_list() == list(PUBLISHED)
    profiles = of_customers("segment_profiles").join(segments, on="segment_id")
    for name, figures in PUBLISHED.items():
        means = dict(profiles.filter(segment_name=name)["feature", "segment_mean"].iter_rows())
        printed = tuple(round(means[feature], 2) for feature in ("minutes_watched", "clv", "region"))
        assert printed == figures[:3]


def test_nobody_leaves_their_rule_and_the_free_optimum_stands_beside(of_customers):
    row = of_customers("start_agreement").row(0, named=True)
    assert round(row["inertia"], 2) == 22_653.66
    assert row["left_rule"] == 0
    assert row["free_inertia"] <= 22_554.5
    assert 0 < row["start_agreement"] < 1
    assert of_customers("free_segments")["members"].sum() == 3_834


def test_that_facebook_brings_the_most_engaged_is_not_supported(of_customers, real_warehouse):
    claim = of_customers("segment_claims").filter(
        segment_name="Facebook Followers", feature="minutes_watched"
    )
    assert not claim["is_supported"].item()
    assert claim["sentence"].item() is None
    assert "rests on one member: 2,767.64 with it, 1,830.79 without" in claim["reason"].item()
    page = (real_warehouse / "report" / "index.html").read_text()
    _, _, section = page.partition('id="customer_acquisition"')
    supported, _, rest = section.partition("Not supported")
    assert "2,767.64 with it" not in supported
    assert "2,767.64 with it" in rest


def test_the_published_customer_figures_are_reproduced(matinee, real_movies, tmp_path):
    answer = matinee("replicate", "--source", real_movies.parent / "customers", warehouse=tmp_path)
    assert answer.exit_code == 0, answer.said
    assert "104 ok" in answer.said
