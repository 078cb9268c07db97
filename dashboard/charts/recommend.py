"""Charts of recommendations: from a user over genres to titles, and how good the lists are.

Belongs here: charts about what is recommended. Does not belong here: recommending.
"""

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go
import polars as pl

from dashboard.charts.base import BLUE, GREY, Chart, bars, finish, largest, name, names
from ml.plots.palette import segment_colors
from ml.plots.words import number, percent

_MOST_GENRES, _MOST_TITLES = 8, 8


def user_genre_sankey(
    user: str, genres: pl.DataFrame, recommended: pl.DataFrame, acted: str = "rated"
) -> Chart:
    """Draw what a user rated (or watched) by genre, and which recommended titles have these genres.

    Parameters
    ----------
    user
        What the user is called.
    genres
        genre_label, ratings: most first.
    recommended
        rank, title, genres ("Drama, Comedy"): best first; may be empty.
    acted
        What the user did: `rated`.
    """
    shown = genres.head(_MOST_GENRES)
    labels = shown["genre_label"].to_list()
    palette = dict(zip(labels, segment_colors(len(labels)), strict=True))
    titles = recommended.head(_MOST_TITLES)
    # A title by its place in the list: three columns of names lie over each other on a phone.
    nodes = [name(user), *names(labels), *map(str, titles["rank"])]
    links = _links(
        dict(shown.select("genre_label", "ratings").iter_rows()), titles["genres"].to_list(), palette
    )
    figure = go.Figure().add_sankey(
        node={
            "label": nodes,
            "color": [BLUE, *palette.values(), *[GREY] * len(titles)],
            "align": "left",  # a genre that nothing recommended has stays among the genres
            "pad": 14,
            "thickness": 14,
            "line": {"width": 0},
            "customdata": [name(user), *names(labels), *names(titles["title"].to_list())],
            "hovertemplate": "%{customdata}<extra></extra>",
        },
        link={
            "source": [source for source, *_ in links],
            "target": [target for _, target, *_ in links],
            "value": [value for *_, value, _ in links],
            "color": [f"{color}66" for *_, color in links],
            "hovertemplate": "%{source.customdata} → %{target.customdata}<extra></extra>",
        },
    )
    finish(figure, height=440)
    if not len(genres):
        return Chart(figure, f"{user} {acted} no title that has a genre")
    total = int(genres["ratings"].sum())
    first = genres.row(0, named=True)
    return Chart(
        figure,
        f"{first['genre_label']} is what {user} {acted} most: {percent(first['ratings'] / total, 0)} of all by genre",
        f"From the user over the genres of {acted} titles to the first recommendations of these genres, by number.",
    )


def _links(
    ratings: Mapping[str, int], genres_of_titles: Sequence[str | None], palette: Mapping[str, str]
) -> list[tuple[int, int, float, str]]:
    """Return source, target, value and colour of each link; node 0 is the user, then come genres, then titles."""
    links: list[tuple[int, int, float, str]] = [
        (0, 1 + i, count, palette[genre]) for i, (genre, count) in enumerate(ratings.items())
    ]
    place = {genre: 1 + i for i, genre in enumerate(ratings)}
    wanted = [
        [genre for genre in (listed or "").split(", ") if genre in place] for listed in genres_of_titles
    ]
    of_genre = {genre: sum(genre in listed for listed in wanted) for genre in ratings}
    for i, listed in enumerate(wanted):
        # What flows into a genre flows out of it, in equal parts to the titles that have it.
        links += [
            (place[genre], 1 + len(ratings) + i, ratings[genre] / of_genre[genre], palette[genre])
            for genre in listed
        ]
    return links


_METRIC_NAMES = {"ndcg": "nDCG@10", "genre_match": "Genre match"}
MODEL_NAMES = {
    "blend": "Blend",
    "ease": "EASE",
    "als": "ALS",
    "cosine": "Cosine",
    "content": "Content",
    "popular": "Most popular",
    "recent_popular": "Lately popular",
}
"""Model to what people call it: the word with which the report begins its name."""


def model_quality(metrics: pl.DataFrame, metric: str) -> Chart:
    """Draw one metric of every judged model: model, is_default, is_baseline and the metric."""
    rows = metrics.drop_nulls(metric).sort(metric, "model")
    figure = bars(
        rows[metric],
        [MODEL_NAMES.get(model, model) for model in rows["model"]],
        [number(value) for value in rows[metric]],
        reach=max(largest(rows[metric]), 0.001) * 1.25,
        marker={"color": [BLUE if used else GREY for used in rows["is_default"]]},
        textposition="outside",
        constraintext=None,
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )
    return Chart(
        finish(figure, height=60 + 30 * len(rows)),
        _quality_finding(rows, metric),
        "Measured on what was held back. Blue: the model behind these lists.",
    )


_LISTS = {"popular": "the most popular titles", "recent_popular": "the lately popular titles"}
"""Lists that are the same for everybody, in a sentence."""


def _quality_finding(rows: pl.DataFrame, metric: str) -> str:
    called = _METRIC_NAMES.get(metric, metric)
    used, popular = rows.filter("is_default"), rows.filter("is_baseline").sort(metric, descending=True)
    if not len(used) or not len(popular):
        return f"{called} of the models that were judged"
    own, other, best = (
        used[metric][0],
        popular[metric][0],
        _LISTS.get(popular["model"][0], popular["model"][0]),
    )
    if metric == "genre_match":
        return f"{percent(own, 0)} of a list fits favourite genres; of {best} {percent(other, 0)}"
    return f"{called} is {number(own)}, {number(own / other) if other else '–'} times that of {best}"
