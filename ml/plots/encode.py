"""Figures as PNG bytes, full size and small.

Belongs here: rendering and encoding. Does not belong here: drawing, files, what needs no drawing library (`shrink`).
"""

import io
import warnings

from matplotlib.figure import Figure

from ml.plots.shrink import thumbnail
from ml.plots.style import plot_style

__all__ = ["thumbnail", "to_png"]


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
    with plot_style(), warnings.catch_warnings():
        # A name may hold signs the font lacks; a box in their place is all we can do.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # Without the entry Pillow would be handed matplotlib's version, which changes the bytes.
        figure.savefig(
            target,
            format="png",
            dpi=dpi,
            metadata={"Software": None, "Title": figure.get_label()},
            # Flat colours: the highest levels cost twice the time for a few per cent.
            pil_kwargs={"compress_level": 4},
        )
    return target.getvalue()
