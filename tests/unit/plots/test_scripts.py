"""Names in other scripts are drawn by a font that has them, or the picture says that none has."""

import io
import unicodedata
import warnings

import pytest
from matplotlib.font_manager import FontProperties, findfont, get_font
from PIL import Image

from ml.plots import style
from ml.plots.encode import to_png

MISSING = "\U00013080"
"""An Egyptian hieroglyph: no machine that draws audience plots needs a font for it, and DejaVu Sans has none."""


def title_of(png: bytes) -> str:
    return Image.open(io.BytesIO(png)).text["Title"]


def picture(name: str) -> bytes:
    with style.plot_style():
        return to_png(style.titled_figure(name, "How it was received"))


@pytest.fixture
def fonts(monkeypatch):
    """Fonts of this machine in the order in which they are tried."""

    def use(*names: str) -> None:
        monkeypatch.setattr(style, "_FONTS", list(names))
        monkeypatch.setitem(style._STYLE, "font.family", list(names))
        style._faces.cache_clear()
        style._advance.cache_clear()

    yield use
    style._faces.cache_clear()
    style._advance.cache_clear()


def only_in(font: str) -> str:
    """A letter that a font has and DejaVu Sans lacks."""
    ours, theirs = (
        get_font(findfont(FontProperties(family=name))).get_charmap() for name in ("DejaVu Sans", font)
    )
    return next(
        chr(code) for code in sorted(set(theirs) - set(ours)) if unicodedata.category(chr(code))[0] in "LS"
    )


def test_a_picture_says_once_that_no_font_has_a_script(fonts):
    fonts("DejaVu Sans")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = title_of(picture(MISSING * 3))
    assert said.endswith("Boxes in 1 of the texts: no font of this machine has Egyptian.")


def test_a_letter_that_a_further_font_has_is_drawn_by_it(fonts):
    letter = only_in("STIXGeneral")
    fonts("DejaVu Sans")
    boxed = picture(letter)
    assert style.no_font_has(letter) == {letter}
    fonts("DejaVu Sans", "STIXGeneral")
    drawn = picture(letter)
    assert style.no_font_has(letter) == set()
    assert "Boxes" in title_of(boxed)
    assert "Boxes" not in title_of(drawn)


def test_the_note_is_of_one_rendering_and_the_figure_stays_as_it_was(fonts):
    fonts("DejaVu Sans")
    with style.plot_style():
        figure = style.titled_figure(MISSING, "")
        assert to_png(figure) == to_png(figure)


@pytest.mark.parametrize("name", ["Amélie", "Иван", "Ελλάδα", "العربية", "e\u0301 ☃"])
def test_what_the_first_font_has_needs_no_note(name):
    assert style.no_font_has(name) == set()
