"""Points for a map that anybody can draw: a sample of members and the centres on the principal components.

Belongs here: which members, and where they lie. Does not belong here: fitting the components, drawing.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from ml.plots.given import balanced_subsample
from ml.segmentation.model import SegmentationModel
from ml.segmentation.projection import Projection

MOST_POINTS = 5_000
"""Members on a map: enough to see where segments lie, few enough for a browser."""


def map_points(
    projection: Projection,
    X: np.ndarray,
    models: Mapping[int, SegmentationModel],
    published_k: int,
    *,
    rng: np.random.Generator,
    most: int = MOST_POINTS,
) -> pl.DataFrame:
    """Place the same sample of members, and the centres of the segments, on the map of every model.

    Parameters
    ----------
    projection
        The principal components of X.
    X : (n, d) float32
        Prepared rows.
    models
        The models of the published and the explored k, of the same preparation.
    published_k
        Whose segments are sampled evenly, so that a small one is seen.
    rng
        Draws the sample.
    most
        Members at most.

    Returns
    -------
    One row per k and sampled member or centre: k, segment_id, segment_name, is_centre, pc1, pc2 (0 where there is no
    second component). Who the members are is not told.
    """
    chosen = balanced_subsample(models[published_k].nearest(X), max(most // published_k, 1), rng)
    points = _on_two_axes(projection.transform(X[chosen]))
    parts = []
    for k, model in sorted(models.items()):
        names = pl.Series(model.segment_names, dtype=pl.String)
        for segments, places, is_centre in (
            (model.nearest(X[chosen]), points, False),
            (np.arange(k, dtype=np.int32), _on_two_axes(projection.transform(model.centroids)), True),
        ):
            parts.append(
                model.with_ids(
                    pl.DataFrame(
                        {
                            "k": pl.repeat(k, len(segments), dtype=pl.Int32, eager=True),
                            "segment_id": segments,
                            "segment_name": names.gather(segments),
                            "is_centre": pl.repeat(is_centre, len(segments), dtype=pl.Boolean, eager=True),
                            "pc1": places[:, 0],
                            "pc2": places[:, 1],
                        }
                    )
                )
            )
    return pl.concat(parts)


def _on_two_axes(points: np.ndarray) -> np.ndarray:
    points = points[:, :2].astype(np.float64)
    return np.column_stack([points, np.zeros((len(points), 2 - points.shape[1]))])
