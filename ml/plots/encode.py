"""Figures as PNG bytes, full size and small.

Belongs here: rendering and encoding. Does not belong here: drawing, files.
"""

import io
import warnings

from matplotlib.figure import Figure
from PIL import Image

from ml.plots.style import plot_style

_PALETTE_SIZE = 256
_MANY_COLORS = 30_000


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


def thumbnail(png: bytes, width: int = 420) -> bytes:
    """Return a small PNG with a palette, for a page or the Dagster UI; colours stay what they are.

    Parameters
    ----------
    png
        Encoded picture.
    width
        Pixels; a narrower picture keeps its size.
    """
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    if picture.width > width:
        height = max(1, round(picture.height * width / picture.width))
        picture = picture.resize((width, height), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    few_colours = picture.quantize(_PALETTE_SIZE, method=_palette_method(picture), dither=Image.Dither.NONE)
    few_colours.save(target, format="PNG")
    return target.getvalue()


def _palette_method(picture: Image.Image) -> Image.Quantize:
    """Choose how to find the palette.

    Maximum coverage keeps the rare colours, which are the data (median cut spends its palette on the
    paper), in 20 ms for a plot; for a picture with very many colours it would take many seconds.
    """
    few = picture.getcolors(_MANY_COLORS) is not None
    return Image.Quantize.MAXCOVERAGE if few else Image.Quantize.FASTOCTREE
