"""A trained segmentation as one SQL statement, for whoever scores in a database.

Belongs here: writing preparation and centroids out in DuckDB's dialect. Does not belong here: running it, segmentations
over an embedding, which is a matrix and no statement.
"""

from collections.abc import Sequence

import numpy as np

from ml.segmentation.levels import Levels
from ml.segmentation.model import SegmentationModel
from ml.segmentation.prepare import Preparation


def as_sql(model: SegmentationModel, table: str) -> str:
    """Return a statement over the feature table that gives entity_id, segment_id, segment_name and level.

    Every number is written so that it is read back exactly. Rows are prepared to float32 as `Preparation.transform`
    does it, then compared with the centroids in float64, where the model compares in float32: only a row that is
    equally far from two centroids, to six digits, may come out in the other one. A value that is missing where the
    model refuses that is an error here, too.

    Parameters
    ----------
    model
        Whose features are columns of the table.
    table
        `schema.table` in the warehouse.
    """
    centroids = model.centroids.astype(np.float64)
    half_norms = (centroids**2).sum(axis=1) / 2
    nearness = [
        f"list_inner_product(x, {_list(centroid)}) - {_number(half)}"
        for centroid, half in zip(centroids, half_norms, strict=True)
    ]
    segments = [
        f"({place}, {segment_id}, {_text(name)})"
        for place, (segment_id, name) in enumerate(
            zip(model.segment_ids, model.segment_names, strict=True), start=1
        )
    ]
    levels = model.levels
    volume = f"cast({_quoted(levels.by)} as double)" if levels else "cast(null as double)"
    return f"""-- {model.segmentation}: the nearest of {model.k} centroids, by the model as it was trained.
with prepared as (
    select cast({_quoted(model.entity)} as varchar) as entity_id, [
        {_lines(_prepared(model.preparation))}
    ] as x, {volume} as volume
    from {table}
),

compared as (
    select entity_id, volume, [
        {_lines(nearness)}
    ] as nearness
    from prepared
),

segments (place, segment_id, segment_name) as (
    values
        {_lines(segments)}
)

select compared.entity_id, segments.segment_id, segments.segment_name, {_level(levels)} as level
from compared
inner join segments on list_position(compared.nearness, list_max(compared.nearness)) = segments.place
order by compared.entity_id"""


def _level(levels: Levels | None) -> str:
    if levels is None:
        return "cast(null as varchar)"
    cuts = zip(levels.names, levels.cuts, strict=False)
    lower = " ".join(f"when compared.volume <= {_number(cut)} then {_text(name)}" for name, cut in cuts)
    return f"case {lower} when compared.volume is not null then {_text(levels.names[-1])} end"


def _prepared(preparation: Preparation) -> list[str]:
    """Return the expression of each prepared column, a double that is a float32."""
    found = []
    for j, column in enumerate(preparation.columns):
        value = f"cast({_quoted(column)} as double)"
        if not np.isnan(preparation.fill[j]):
            value = f"coalesce({value}, {_number(preparation.fill[j])})"
        if np.isfinite(preparation.low[j]):
            value = f"greatest({value}, {_number(preparation.low[j])})"
        if np.isfinite(preparation.high[j]):
            value = f"least({value}, {_number(preparation.high[j])})"
        if preparation.log1p[j]:
            value = f"ln(1 + {value})"
        if preparation.shift[j] != 0:
            value = f"({value} - {_number(preparation.shift[j])})"
        found.append(f"cast(cast({value} / {_number(preparation.scale[j])} as float) as double)")
    return found


def _number(value: float) -> str:
    """Return a literal that is read as exactly this double: without an exponent it would be a decimal."""
    text = repr(float(value))
    return text if "e" in text else f"{text}e0"


def _list(values: np.ndarray) -> str:
    return f"[{', '.join(_number(value) for value in values)}]"


def _lines(items: Sequence[str]) -> str:
    return ",\n        ".join(items)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
