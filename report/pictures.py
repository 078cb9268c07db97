"""Plots made small enough to stand inside a page.

Belongs here: reading PNGs and fitting them into a page. Does not belong here: which plot stands where.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from ml.plots.shrink import thumbnail

BUDGET_BYTES = 1_900_000
"""For all plots together, before base64 adds a third: with the tables a page stays below 3 MB."""
_ONE_COLUMN = 900
"""Pixels from which a plot, set beside another one, would be too small to read."""
_WIDTHS = (960, 640, 420, 280)
"""Pixels, tried in turn until the plots fit the budget where they do not fit as they are; each takes 50 ms a plot."""


@dataclass(frozen=True)
class Picture:
    """A plot inside the page: a `data:` address, its size in pixels and what it shows in words.

    One that `is_wide` needs the width of two others to be read.
    """

    name: str
    source: str
    width: int
    height: int
    alt: str
    is_wide: bool = False


def embed(paths: Sequence[Path], budget: int = BUDGET_BYTES) -> dict[Path, Picture]:
    """Return each plot as a picture for a page.

    Parameters
    ----------
    paths
        PNG files; one that is gone or is no picture is left out.
    budget
        Bytes for all of them; the largest are made narrower until they fit, and what does not fit even
        then is left out, last first.
    """
    originals = {path: png for path in paths if (png := _read(path)) is not None}
    small = _shrunk(originals, budget)
    pictures: dict[Path, Picture] = {}
    spent = 0
    for path, png in small.items():
        spent += len(png)
        if spent > budget:
            break
        pictures[path] = _picture(path, png, originals[path])
    return pictures


def _shrunk(originals: Mapping[Path, bytes], budget: int) -> dict[Path, bytes]:
    """Make the largest pictures narrower, one by one and width by width, until all fit."""
    small = dict(originals)
    widths = {path: _width(png) for path, png in originals.items()}
    spent = sum(map(len, small.values()))
    for width in _WIDTHS:
        wider = [path for path in small if widths[path] > width]
        for path in sorted(wider, key=lambda path: -len(small[path])):
            if spent <= budget:
                return small
            spent -= len(small[path])
            small[path] = thumbnail(originals[path], width)
            spent += len(small[path])
    return small


def _width(png: bytes) -> int:
    with Image.open(io.BytesIO(png)) as picture:
        return picture.width


def _read(path: Path) -> bytes | None:
    try:
        png = path.read_bytes()
        with Image.open(io.BytesIO(png)) as picture:
            picture.verify()  # checksums only: to decode every plot takes half a second
    except (OSError, SyntaxError):  # Pillow's word for a broken PNG chunk
        return None
    return png


def _picture(path: Path, small: bytes, original: bytes) -> Picture:
    with Image.open(io.BytesIO(original)) as picture:
        heading, is_wide = picture.info.get("Title"), picture.width > _ONE_COLUMN
    with Image.open(io.BytesIO(small)) as picture:
        width, height = picture.size
    return Picture(
        name=path.stem,
        source=f"data:image/png;base64,{base64.b64encode(small).decode()}",
        width=width,
        height=height,
        alt=heading or f"{path.stem.replace('_', ' ')} of {path.parent.name}",
        is_wide=is_wide,
    )
