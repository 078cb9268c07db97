"""What a reader may rely on in each picture of audience and catalogue."""

from io import BytesIO

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ml.plots.encode import to_png
from ml.plots.given import NothingToDrawError, drawable
from ml.plots.shrink import few_colors
from ml.plots.style import plot_style
from tests.unit.plots.pictures import DRAWN, draw
from tests.unit.plots.reading import subtitle, title

HOSTILE = "$x_1^2$ <script>alert(1)</script> \\frac 日本 🎬 " + "name " * 30


ORDER_MATTERS = {"strip", "user_devices"}
"""A generator meets the titles one by one, and the caller says which user comes first."""


@pytest.mark.parametrize("name", DRAWN)
def test_the_same_rows_and_seed_give_the_same_bytes_in_whatever_order_they_come(name):
    frame = DRAWN[name][1]()
    again = frame if name in ORDER_MATTERS else frame.sample(fraction=1, shuffle=True, seed=1)
    assert to_png(draw(name, frame), dpi=40) == to_png(draw(name, again), dpi=40)


@pytest.mark.parametrize("name", DRAWN)
def test_a_picture_says_its_finding_to_those_who_cannot_see_it(name):
    figure = draw(name)
    assert figure.get_label() == f"{title(figure)}. {subtitle(figure)}"


@pytest.mark.parametrize("name", DRAWN)
def test_a_table_without_rows_is_refused_by_name_of_what_is_missing(name):
    with pytest.raises(NothingToDrawError, match="no row has"):
        draw(name, DRAWN[name][1]().head(0))


@pytest.mark.parametrize("name", DRAWN)
def test_one_row_is_drawn_or_refused_in_words(name):
    one = DRAWN[name][1]().filter(pl.col("ratings") > 0 if name == "boxes" else True).slice(2, 1)
    if name == "weeks":
        with pytest.raises(NothingToDrawError, match="there is viewing in one week only"):
            draw(name, one)
    else:
        draw(name, one)


@pytest.mark.parametrize("name", sorted(set(DRAWN) - {"hours"}))
def test_any_name_can_be_drawn(name):
    frame = DRAWN[name][1]()
    texts = [column for column, kind in frame.schema.items() if kind == pl.String]
    to_png(draw(name, frame.with_columns(pl.col(texts) + pl.lit(HOSTILE))), dpi=40)


@pytest.mark.parametrize("name", DRAWN)
def test_text_stays_inside_the_picture(name):
    figure = draw(name)
    width, height = figure.get_size_inches()
    with plot_style():
        drawn = figure.get_tightbbox()
    assert min(drawn.x0, drawn.y0) >= 0
    assert drawn.x1 <= width
    assert drawn.y1 <= height


def test_a_missing_column_is_named():
    with pytest.raises(NothingToDrawError, match="no column score and no unit"):
        drawable(pl.DataFrame({"genre_label": ["Drama"]}), "genre_label", "score", "unit")


def test_a_picture_of_few_colours_keeps_its_size_its_heading_and_its_look():
    png = to_png(draw("hours"))
    with Image.open(BytesIO(png)) as before, Image.open(BytesIO(few_colors(png))) as after:
        assert after.mode == "P"
        assert after.size == before.size
        assert after.info["Title"] == before.info["Title"] == draw("hours").get_label()
        difference = np.abs(np.asarray(before.convert("RGB"), int) - np.asarray(after.convert("RGB"), int))
    assert difference.mean() < 1
    assert len(few_colors(png)) < len(png) / 2
