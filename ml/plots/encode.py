"""Figures as PNG bytes.

Belongs here: rendering and encoding. Does not belong here: drawing, files, what is done to encoded pictures (`shrink`).
"""

import io
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from matplotlib.figure import Figure
from matplotlib.text import Text

from ml.plots.palette import MUTED
from ml.plots.style import no_font_has, plot_style


def to_png(figure: Figure, dpi: int = 120) -> bytes:
    """Render a figure; the same figure gives the same bytes, today and tomorrow.

    The heading of the figure is kept as the PNG's text `Title`, so that a page can say it in words.

    Parameters
    ----------
    figure
        Any figure of this package.
    dpi
        Dots per inch.
    """
    target = io.BytesIO()
    with plot_style(), _noting_boxes(figure) as title, warnings.catch_warnings():
        # Said once below the picture instead.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # Without the entry Pillow would be handed matplotlib's version, which changes the bytes.
        figure.savefig(
            target,
            format="png",
            dpi=dpi,
            metadata={"Software": None, "Title": title},
            # Flat colours: the highest levels cost twice the time for a few per cent.
            pil_kwargs={"compress_level": 4},
        )
    return target.getvalue()


@contextmanager
def _noting_boxes(figure: Figure) -> Iterator[str]:
    """Write below the figure which letters it lacks, and yield its heading with that sentence."""
    texts = {text.get_text() for text in figure.findobj(Text)}
    lacking = {text: letters for text in texts if (letters := no_font_has(text))}
    if not lacking:
        yield str(figure.get_label())
        return
    scripts = {_script(letter) for letters in lacking.values() for letter in letters}
    said = (
        f"Boxes in {len(lacking)} of the texts: no font of this machine has {', '.join(sorted(scripts)[:4])}."
    )
    note = figure.text(0.995, 0.004, said, size=6.5, color=MUTED, ha="right", va="bottom")
    try:
        yield f"{figure.get_label()} {said}"
    finally:
        note.remove()


def _script(letter: str) -> str:
    """Return the first word of a letter's name, which is its script: `Hangul`, `Thai`, `CJK`."""
    word = unicodedata.name(letter, "other signs").split()[0]
    return word if len(word) < 4 else word.capitalize()
