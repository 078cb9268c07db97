"""What every figure shares: settings, fonts, its heading and places, and texts measured in inches and broken.

Belongs here: anything two plots must agree on that needs matplotlib. Does not belong here: colours (`palette`), how
numbers and features are written (`words`), any one plot, files.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font
from matplotlib.ticker import FuncFormatter

from ml.plots.palette import INK, MUTED, RULE
from ml.plots.words import clean, tick_number

_FONT = "DejaVu Sans"
"""Comes with matplotlib: the same picture on every machine, as far as it has the letters."""
_FURTHER_FONTS = (
    *(
        "Noto Sans CJK JP",
        "Noto Sans JP",
        "Source Han Sans",
        "IPAexGothic",
        "Hiragino Sans",
        "Yu Gothic",
        "WenQuanYi Zen Hei",
    ),
    *("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Apple SD Gothic Neo", "Malgun Gothic"),
    *("Noto Sans CJK SC", "Noto Sans SC", "PingFang SC", "Microsoft YaHei"),
    *("Noto Sans Thai", "Loma", "Thonburi", "Leelawadee UI"),
    *(
        "Noto Sans Arabic",
        "Geeza Pro",
        "Noto Sans Devanagari",
        "Noto Sans Tamil",
        "Noto Sans Bengali",
        "Noto Sans Hebrew",
    ),
    *("Noto Emoji", "Symbola", "Unifont", "Arial Unicode MS"),
)
"""For scripts that it lacks, where the machine has one of them; no coloured emoji, which matplotlib cannot draw."""
_FONTS = [_FONT, *(font for font in _FURTHER_FONTS if font in set(fontManager.get_font_names()))]
_STYLE = {
    "font.family": _FONTS,
    "font.size": 9.5,
    # Names are data: a `$` in one must not start a formula.
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": 9.5,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "grid.color": "#eceef2",
    "grid.linewidth": 0.8,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "ytick.major.size": 0,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}
_TITLE_SIZE, _SUBTITLE_SIZE = 13.0, 9.5
WIDTH = 7.0
"""Inches of a figure's width, unless it needs more: type stays readable at half a page."""
_MARGIN = 0.2
"""Inches kept free above, below and left of the heading."""


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw with our settings whatever the machine's own are, and give those back at the end."""
    with style.context(["default", _STYLE]):
        yield


def titled_figure(title: str, subtitle: str, *, width: float = WIDTH, body: float = 4.0) -> Figure:
    """Return a figure with its heading and `body` inches of free height below it.

    The label of the figure is the heading as one text, for those who cannot see the picture.

    Parameters
    ----------
    title
        The finding.
    subtitle
        How to read the plot.
    width, body
        Inches; the heading comes on top, as high as its lines need.
    """
    headings = [
        (wrap(text, width - 2 * _MARGIN, size, bold=bold).split("\n"), size, bold)
        for text, size, bold in ((title, _TITLE_SIZE, True), (subtitle, _SUBTITLE_SIZE, False))
    ]
    heights = [len(lines) * size * 1.25 / 72 + 0.07 for lines, size, _ in headings]
    height = body + _MARGIN + 0.12 + sum(heights)
    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    figure.set_label(f"{clean(title)}. {clean(subtitle)}")
    y = height - _MARGIN
    for (lines, size, bold), used in zip(headings, heights, strict=True):
        figure.text(
            _MARGIN / width,
            y / height,
            "\n".join(lines),
            size=size,
            weight="bold" if bold else "normal",
            color=INK if bold else MUTED,
            va="top",
            linespacing=1.25,
            parse_math=False,
        )
        y -= used
    return figure


def add_axes(figure: Figure, left: float, bottom: float, right: float, top: float) -> Axes:
    """Add axes whose edges are given in inches from the lower left corner of the figure."""
    width, height = figure.get_size_inches()
    box = (left / width, bottom / height, (right - left) / width, (top - bottom) / height)
    return figure.add_axes(box)


def text_width(text: str, size: float, *, bold: bool = False) -> float:
    """Return how many inches a text is wide, the longest of its lines."""
    return max(_line_width(line, size, bold=bold) for line in text.split("\n"))


def wrap(text: str, inches: float, size: float, *, bold: bool = False, lines: int | None = None) -> str:
    """Return text broken into lines of at most `inches`, of about equal length.

    A word too long for a line is broken; text beyond `lines` lines gives way to an ellipsis.
    """
    words = clean(text).split() or [""]
    broken = _fill(words, inches, size, bold=bold)
    if lines is not None and len(broken) > lines:
        last = broken[lines - 1]
        while last and _line_width(f"{last}…", size, bold=bold) > inches:
            last = last[:-1]
        return "\n".join([*broken[: lines - 1], f"{last.rstrip()}…"])
    for share in (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95):
        evener = _fill(words, inches * share, size, bold=bold)
        if len(evener) == len(broken) and " ".join(evener) == " ".join(broken):
            return "\n".join(evener)
    return "\n".join(broken)


def wrap_name(name: str, inches: float, size: float, *, bold: bool = False, lines: int = 2) -> str:
    """Return a segment name broken into at most `lines` lines; `(no name)` for an empty one."""
    return wrap(clean(name) or "(no name)", inches, size, bold=bold, lines=lines)


def label_ticks(axis: Axis) -> None:
    """Write the ticks of a linear axis as `tick_number`, whatever they turn out to be."""
    axis.set_major_formatter(FuncFormatter(tick_number))


def _fill(words: Sequence[str], inches: float, size: float, *, bold: bool) -> list[str]:
    lines = [""]
    for word in words:
        joined = f"{lines[-1]} {word}".lstrip()
        if _line_width(joined, size, bold=bold) <= inches:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        if _line_width(word, size, bold=bold) <= inches:
            lines[-1] = word
            continue
        for letter in word:
            if lines[-1] and _line_width(lines[-1] + letter, size, bold=bold) > inches:
                kept = max(lines[-1].rfind("-"), lines[-1].rfind("_")) + 1 or len(lines[-1])
                lines[-1:] = [lines[-1][:kept], lines[-1][kept:]]
            lines[-1] += letter
    return lines


def _line_width(line: str, size: float, *, bold: bool) -> float:
    return sum(_advance(letter, bold=bold) for letter in line) * size / 72


@cache
def _advance(letter: str, *, bold: bool) -> float:
    """Return the width of a letter in units of the type size, a little too large as hinting needs room."""
    font = next((font for font in _faces(bold=bold) if font.get_char_index(ord(letter))), None)
    if font is None:
        return 1.0
    font.set_size(72, 72)
    return font.load_char(ord(letter)).linearHoriAdvance / 65536 / 72 * 1.03


@cache
def _faces(*, bold: bool) -> list[FT2Font]:
    weight = "bold" if bold else "normal"
    return [get_font(findfont(FontProperties(family=font, weight=weight))) for font in _FONTS]


def no_font_has(text: str) -> set[str]:
    """Return the letters of a text that no font of this machine has, so that a box stands in their place."""
    return {
        letter
        for letter in set(text)
        if unicodedata.category(letter)[0] not in "CMZ"  # they have no shape of their own
        and not any(font.get_char_index(ord(letter)) for font in _faces(bold=False))
    }
