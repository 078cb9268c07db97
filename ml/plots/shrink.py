"""Pictures made smaller, in pixels or in bytes.

Belongs here: what is done to encoded pictures. Does not belong here: any drawing library; the report embeds pictures
and must not wait for matplotlib.
"""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

_PALETTE_SIZE = 256
_MANY_COLORS = 30_000


def thumbnail(png: bytes, width: int = 420, height: int | None = None) -> bytes:
    """Return a small PNG with a palette, for a page or the Dagster UI; colours stay what they are.

    Parameters
    ----------
    png
        Encoded picture.
    width, height
        Pixels, at most; a smaller picture keeps its size. As high as it comes where no height is given.
    """
    with Image.open(io.BytesIO(png)) as opened:
        picture = opened.convert("RGB")
    scale = min(width / picture.width, height / picture.height if height else 1)
    if scale < 1:
        size = round(picture.width * scale), max(1, round(picture.height * scale))
        picture = picture.resize(size, Image.Resampling.LANCZOS)
    target = io.BytesIO()
    few_colours = picture.quantize(_PALETTE_SIZE, method=_palette_method(picture), dither=Image.Dither.NONE)
    few_colours.save(target, format="PNG")
    return target.getvalue()


def few_colors(png: bytes) -> bytes:
    """Return a PNG with a palette of 256 colours: the same to the eye in a third of the bytes.

    Parameters
    ----------
    png
        Encoded picture; its text `Title` is kept.
    """
    with Image.open(io.BytesIO(png)) as opened:
        width, title = opened.width, opened.info.get("Title", "")
    heading = PngInfo()
    heading.add_itxt("Title", title)
    target = io.BytesIO()
    with Image.open(io.BytesIO(thumbnail(png, width))) as picture:
        picture.save(target, format="PNG", pnginfo=heading)
    return target.getvalue()


def _palette_method(picture: Image.Image) -> Image.Quantize:
    """Choose how to find the palette.

    Maximum coverage keeps the rare colours, which are the data (median cut spends its palette on the
    paper), in 20 ms for a plot; for a picture with very many colours it would take many seconds.
    """
    few = picture.getcolors(_MANY_COLORS) is not None
    return Image.Quantize.MAXCOVERAGE if few else Image.Quantize.FASTOCTREE
