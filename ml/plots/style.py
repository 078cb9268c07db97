"""What every plot shares: colours, type, sizes, and how numbers and features are written.

Belongs here: anything two plots must agree on. Does not belong here: any one plot, files.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache

import numpy as np
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FuncFormatter

INK, MUTED, RULE = "#1f2430", "#5b6270", "#d9dce3"
ACCENT = "#bd1f01"
"""Marks the one thing a plot is about, such as the knee of a curve."""

# Petroff (2021, arXiv:2107.02270), which keeps ten colours apart under every common colour blindness;
# reordered so that the first ones, used most, are also the furthest apart.
_SEGMENT_COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#717581",
    "#832db6",
    "#92dadd",
    "#a96b59",
    "#b9ac70",
    "#e76300",
    "#94a4a2",
)
_FONT = "DejaVu Sans"
_STYLE = {
    "font.family": _FONT,  # comes with matplotlib: the same picture on every machine
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
_UPPER_CASE = {"tv": "TV", "imdb": "IMDb", "clv": "CLV", "id": "ID", "usa": "USA", "uk": "UK"}
_KINDS = {"avg": "mean", "cnt": "count"}
_LARGE = (("T", 1e12), ("B", 1e9), ("M", 1e6))
_UNITS = ("minutes", "seconds", "hours", "days", "share", "count")


@contextmanager
def plot_style() -> Iterator[None]:
    """Draw with our settings whatever the machine's own are, and give those back at the end."""
    with style.context(["default", _STYLE]):
        yield


def segment_colors(n: int) -> list[str]:
    """Return hex colours of the segment ids 0 to n - 1.

    A segment id has the same colour whatever n is. Ten are told apart by colour alone; from the
    eleventh on the same ten come back darker, then darker still.
    """
    colors = []
    for i in range(n):
        red, green, blue = to_rgb(_SEGMENT_COLORS[i % len(_SEGMENT_COLORS)])
        darker = 0.62 ** (i // len(_SEGMENT_COLORS))
        colors.append(to_hex((red * darker, green * darker, blue * darker)))
    return colors


def readable_on(color: str) -> str:
    """Return the text colour, dark or white, that stands out more on a background."""
    channels = np.array(to_rgb(color))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    luminance = float(linear @ [0.2126, 0.7152, 0.0722])
    return "white" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.066 else INK


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


def clean(text: str) -> str:
    """Return text on one line, without characters that cannot be printed."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())


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


def short_name(name: str, width: int = 30) -> str:
    """Return a segment name fit for a title: on one line, cut with an ellipsis."""
    name = clean(name) or "(no name)"
    return name if len(name) <= width else f"{name[: width - 1].rstrip()}…"


def feature_label(feature: str) -> str:
    """Return a column name as words: `total_titles` is `Total titles`, `avg_tv_movie` is `TV Movie`.

    The prefixes `avg_` and `cnt_` are left out, for the plot says what it shows; what they stand before
    is a name, so each of its words begins with a capital. A unit at the end goes into brackets
    (`runtime_minutes` is `Runtime (minutes)`).
    """
    words = [word for word in clean(feature).split("_") if word]
    is_name = len(words) > 1 and words[0] in _KINDS
    if is_name:
        words = words[1:]
    unit = f" ({words.pop()})" if len(words) > 1 and words[-1] in _UNITS else ""
    words = [_UPPER_CASE.get(word, word) for word in words]
    if not words:
        return feature
    return " ".join(_capital(word) if is_name or i == 0 else word for i, word in enumerate(words)) + unit


def feature_labels(features: Sequence[str], labels: Mapping[str, str] | None = None) -> list[str]:
    """Return labels of several columns, told apart by kind where two would read the same.

    Parameters
    ----------
    features
        Column names.
    labels
        The declared label of a column, where it has one.
    """
    declared = labels or {}
    plain = [clean(declared.get(feature, "")) or feature_label(feature) for feature in features]
    labelled = []
    for feature, label in zip(features, plain, strict=True):
        kind = _KINDS.get(feature.split("_")[0], "")
        labelled.append(f"{label}, {kind}" if plain.count(label) > 1 and kind else label)
    return labelled


def percent(share: float, digits: int = 1) -> str:
    """Return a share as a percentage: 0.4628 is `46.3%`."""
    return f"{share:.{digits}%}" if np.isfinite(share) else "–"


def number(value: float) -> str:
    """Return a number in three digits or so: `0.97`, `12.3`, `1,916`, `7.65M`."""
    if not np.isfinite(value):
        return "–"
    size = abs(value)
    for unit, factor in _LARGE:
        if size >= factor * 0.9995:
            return _minus(f"{value / factor:.3g}{unit}")
    if size >= 99.95 or value == round(value):
        return _minus(f"{value:,.0f}")
    if size >= 9.995:
        return _minus(f"{value:.1f}")
    return _minus(f"{value:.2f}" if size >= 0.005 else f"{value:.1g}")


def decimals(value: float, digits: int = 2) -> str:
    """Return a number with as many decimals as its neighbours in a table: `1,299.33`."""
    # Adding 0 after rounding takes the sign off a zero.
    return _minus(f"{round(value, digits) + 0.0:,.{digits}f}") if np.isfinite(value) else "–"


def numbers_apart(first: float, second: float) -> tuple[str, str]:
    """Return two numbers in words, with a third decimal where they differ but would read the same."""
    texts = number(first), number(second)
    if texts[0] == texts[1] and first != second and max(abs(first), abs(second)) < 100:
        return _minus(f"{first:.3f}"), _minus(f"{second:.3f}")
    return texts


def tick_number(value: float, _position: int | None = None) -> str:
    """Return the label of a tick, exact but for float noise: `0.175`, `10,500`, `7.5M`."""
    for unit, factor in _LARGE:
        if abs(value) >= factor:
            return _minus(f"{value / factor:.10g}{unit}")
    return _minus(f"{round(value, 10) + 0.0:,.10g}")


def label_ticks(axis: Axis) -> None:
    """Write the ticks of a linear axis as `tick_number`, whatever they turn out to be."""
    axis.set_major_formatter(FuncFormatter(tick_number))


def log_ticks(low: float, high: float) -> list[float]:
    """Return round numbers from `low` to `high` for a logarithmic axis: as few as possible, three at least."""
    ticks: list[float] = []
    for steps in ("1", "13", "125", "123456789"):
        candidates = [float(f"{step}e{exponent}") for exponent in range(-6, 16) for step in steps]
        ticks = [tick for tick in candidates if low <= tick <= high]
        if len(ticks) >= 3:
            break
    return ticks


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]


def _minus(text: str) -> str:
    return text.replace("-", "−")


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
    font = get_font(findfont(FontProperties(family=_FONT, weight="bold" if bold else "normal")))
    if not font.get_char_index(ord(letter)):
        return 1.0
    font.set_size(72, 72)
    return font.load_char(ord(letter)).linearHoriAdvance / 65536 / 72 * 1.03
