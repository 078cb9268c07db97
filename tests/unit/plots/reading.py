"""What can be read off a figure."""

from matplotlib.figure import Figure
from matplotlib.text import Text


def title(figure: Figure) -> str:
    return figure.texts[0].get_text().replace("\n", " ")


def subtitle(figure: Figure) -> str:
    return figure.texts[1].get_text().replace("\n", " ")


def rows(figure: Figure) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in figure.axes[0].get_yticklabels()]


def columns(figure: Figure) -> list[str]:
    return [label.get_text().replace("\n", " ") for label in figure.axes[0].get_xticklabels()]


def written(figure: Figure) -> str:
    return " ".join(text.get_text().replace("\n", " ") for text in figure.findobj(Text))
