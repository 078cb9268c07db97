"""Genres as a cloud of words.

Belongs here: the word cloud. Does not belong here: counting ratings.
"""

import numpy as np
import polars as pl
from matplotlib import colormaps
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont

from ml.plots.cells import draw_key
from ml.plots.given import drawable
from ml.plots.style import add_axes, plot_style, titled_figure
from ml.plots.words import number, percent, short_name

_WIDE, _HIGH, _KEY, _SIDE = 6.6, 3.3, 0.5, 0.2
_DOTS_PER_INCH = 120
_LARGEST = 84
"""Pixels of the largest word: it leaves room for twenty genres."""
_DETAIL = 2
"""Pixels drawn for each one shown, in each direction: edges of letters stay smooth."""
_SCALE = LinearSegmentedColormap.from_list("dark_viridis", colormaps["viridis"](np.linspace(0.0, 0.72, 65)))
"""Without the light end, which is lost on white."""


def genre_cloud(genres: pl.DataFrame, *, counted: str = "ratings") -> Figure:
    """Draw the genres as words, sized by how much of them is watched and coloured by how they are rated.

    Parameters
    ----------
    genres
        One row per genre: genre_label, mean_rating and the column named by `counted`; a genre that counts nothing
        is left out.
    counted
        What makes a word large.

    Returns
    -------
    A figure whose title names the largest and the best rated genre.

    Raises
    ------
    NothingToDrawError
        When nothing is counted in any genre.
    """
    from wordcloud import WordCloud  # noqa: PLC0415  0.2 s that only this plot needs

    known = drawable(genres.filter(pl.col(counted) > 0), "genre_label", counted, "mean_rating")
    known = known.sort(counted, "genre_label", descending=[True, False])
    # A word that is longer than the picture has no place in it.
    known = known.with_columns(pl.Series("genre_label", [short_name(name) for name in known["genre_label"]]))
    means = dict(known.select("genre_label", "mean_rating").iter_rows())
    norm = Normalize(min(means.values()), max(means.values()))

    def color_of(word: str, **_: object) -> str:
        return to_hex(_SCALE(norm(means[word])))

    cloud = WordCloud(
        font_path=findfont(FontProperties(family="DejaVu Sans", weight="bold")),
        width=round(_WIDE * _DOTS_PER_INCH),
        height=round(_HIGH * _DOTS_PER_INCH),
        scale=_DETAIL,
        margin=4,
        prefer_horizontal=1.0,  # words that lie are read twice as slowly
        relative_scaling=0.5,
        min_font_size=10,
        max_font_size=_LARGEST,
        max_words=len(known),
        background_color="white",
        color_func=color_of,
        random_state=0,
    ).generate_from_frequencies(
        dict(known.select("genre_label", pl.col(counted).cast(pl.Float64)).iter_rows())
    )
    with plot_style():
        drawn = len(cloud.layout_)
        figure = titled_figure(
            _title(known, counted), _subtitle(counted, drawn, len(known)), body=_KEY + _HIGH
        )
        axes = add_axes(figure, _SIDE, _KEY, _SIDE + _WIDE, _KEY + _HIGH)
        axes.imshow(cloud.to_array(), interpolation="antialiased", aspect="auto")
        axes.set_axis_off()
        ends = number(float(norm.vmin or 0)), "mean rating", number(float(norm.vmax or 0))
        draw_key(figure, ends, _SCALE, low=0.3, right=_SIDE + 0.2)
    return figure


def _title(known: pl.DataFrame, counted: str) -> str:
    first = known.row(0, named=True)
    best = known.sort("mean_rating", "genre_label", descending=[True, False]).row(0, named=True)
    share = percent(first[counted] / known[counted].sum(), 0)
    return (
        f"{first['genre_label']} has most {counted} ({share} of all genres together); "
        f"best rated: {best['genre_label']} ({number(best['mean_rating'])})"
    )


def _subtitle(counted: str, drawn: int, genres: int) -> str:
    text = f"Size: number of {counted}; colour: mean rating."
    return text if drawn == genres else f"{text} The {drawn} of {genres} genres that fit."
