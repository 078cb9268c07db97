"""Audiences by rule: how large, who is left step by step, whom they share, and one that is built by choosing.

Belongs here: order and words of the page, the choices that make a rule. Does not belong here: queries, charts, what a
rule means (`ml.audiences`).
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import polars as pl
import streamlit as st
import yaml
from streamlit.column_config import NumberColumn

from dashboard import ui
from dashboard.charts import audiences as charts
from dashboard.queries import audiences as queries
from dashboard.settings import minimum_members
from ml.audiences.compile import DEPARTURE, EVERYBODY, Tables, compile_audience, kind_of
from ml.audiences.members import waterfall
from ml.audiences.spec import AudienceError, parse_audience
from published.sets import PublishedSet

TABLES = ("audiences", "segments")
_VIEWS = {"sizes": "Audiences", "build": "Build one"}
_SIDES = {"include": "Must hold", "exclude": "Must not hold"}
_KINDS = {"segment": "Segment", "attribute": "What is known of them", "score": "Chance to leave"}
_COMPARED = {"at_least": "at least", "at_most": "at most", "is_missing": "not known"}
_COMPONENT = "orchestration.components.AudienceComponent"


def show(data: PublishedSet) -> None:
    """Show the page."""
    if ui.choose_view("View", _VIEWS, key="audience_view") == "build":
        ui.part(data, "segment_members", lambda: _build(data))
    else:
        ui.part(data, "audiences", lambda: _sizes(data))


def _sizes(data: PublishedSet) -> None:
    found = queries.audiences(data)
    for row in found.drop_nulls("warning").iter_rows(named=True):
        st.warning(f"{row['audience']}: {ui.plain(row['warning'])}", icon=":material/warning:")
    ui.table(
        found,
        name="audiences",
        data=data,
        labels={
            "audience": "Audience",
            "description": "Who",
            "priority": NumberColumn("Priority"),
            "members": NumberColumn("Members", format="localized"),
            "share": NumberColumn("Share", format="percent"),
            "share_before": NumberColumn("Share before", format="percent"),
            "held_out": NumberColumn("Held out", format="localized"),
        },
        groups=("members", "audience", "description"),
    )
    st.header("Step by step")
    audience = st.selectbox("Audience", found["audience"].to_list(), key="audience", bind="query-params")
    steps = queries.waterfall(data, audience)
    if len(steps):
        ui.chart(charts.waterfall(steps), key="waterfall")
        _in_full(steps)
        with st.expander("The rule as SQL"):
            st.code(found.filter(audience=audience)["sql"].item(), language="sql")
    else:
        warning = found.filter(audience=audience)["warning"].item()
        ui.tell(
            f"Nobody could be looked for: {ui.plain(warning)}"
            if warning
            else "The source has nothing that this rule asks for."
        )
    entity = found.filter(audience=audience)["entity"].item()
    pairs = queries.overlap(data, entity)
    if len(pairs):
        st.header("Whom they share")
        ui.chart(charts.overlap(pairs, theme=ui.theme()), key="audience_overlap")
    over_time = queries.sizes(data)
    if over_time["moment"].n_unique() > 1:
        st.header("Over time")
        ui.chart(charts.sizes(over_time), key="audience_sizes")


def _in_full(steps: pl.DataFrame) -> None:
    """List the conditions in full, which the chart cuts."""
    with st.expander("The conditions in full"):
        st.markdown(
            "\n".join(
                f"{place}. {'not: ' if side == 'exclude' else ''}{ui.plain(condition)}"
                for place, (side, condition) in enumerate(steps.select("side", "condition").iter_rows(), 1)
            )
        )


# ---------------------------------------------------------------------- a rule by choosing


def _build(data: PublishedSet) -> None:
    st.markdown("Choose what must hold of them; the file is what `matinee audience check` and a run read.")
    entities = {entity: ui.unit_of(entity) for entity in EVERYBODY if queries.choices(data, entity)} or {
        "user_id": "Users"
    }
    entity = ui.choose_view("Of whom", entities, key="audience_of")
    name = st.text_input("Name", "my_audience", key="audience_name", help="Small letters, digits and _.")
    description = st.text_input("Who it is", "My audience", key="audience_description")
    tables = queries.tables(data)
    many = int(st.number_input("Conditions", 1, 9, 1, key="audience_conditions"))
    rule: dict[str, list[Any]] = {"include": [], "exclude": []}
    for place in range(many):
        with st.container(border=True):
            side, condition = _condition(data, tables, entity, place)
            rule[side] += [condition] if condition else []
    attributes = {"name": name, "description": description, "entity": entity} | {
        side: conditions for side, conditions in rule.items() if conditions
    }
    try:
        spec = parse_audience(attributes)
        compiled = compile_audience(spec, tables, {})
    except AudienceError as error:
        st.warning(ui.plain(error), icon=":material/warning:")
        return
    _count(waterfall(compiled.steps, queries.kept(data, compiled)))
    declared = yaml.safe_dump(
        {"type": _COMPONENT, "attributes": attributes}, sort_keys=False, allow_unicode=True
    )
    st.code(declared, language="yaml")
    st.caption(
        f"Save it as orchestration/defs/audiences/{ui.plain(name)}/defs.yaml; the next run finds its members."
    )
    st.download_button(
        "defs.yaml", declared, file_name="defs.yaml", mime="application/yaml", icon=":material/download:"
    )


def _count(steps: pl.DataFrame) -> None:
    """Show how many a rule finds; not how many exactly where so few are easily recognised."""
    last, first = steps["kept"][-1], steps["kept"][0]
    if 0 < last < minimum_members():
        st.metric("Found", f"fewer than {minimum_members()}", width="content")
        return
    st.metric(
        "Found", f"{last:,}", delta=f"of {first:,}", delta_color="off", delta_arrow="off", width="content"
    )
    if (steps["kept"].is_between(1, minimum_members() - 1)).any():
        return
    ui.chart(charts.waterfall(steps), key="built_waterfall")
    _in_full(steps)


def _condition(
    data: PublishedSet, tables: Tables, entity: str, place: int
) -> tuple[str, Mapping[str, Any] | None]:
    """Let the reader choose a condition; return its side, and None until it is complete."""
    kinds = {"segment": _KINDS["segment"]} if queries.choices(data, entity) else {}
    if entity == "user_id":
        kinds["attribute"] = _KINDS["attribute"]
        kinds |= {"score": _KINDS["score"]} if DEPARTURE in tables.columns and data.has("departure") else {}
    columns = st.columns([1, 1, 2, 2])
    side = columns[0].selectbox("Side", list(_SIDES), format_func=_SIDES.__getitem__, key=f"side_{place}")
    kind = columns[1].selectbox("What", list(kinds), format_func=kinds.__getitem__, key=f"what_{place}")
    if kind == "segment":
        choices = queries.choices(data, entity)
        of = columns[2].selectbox("Segmentation", list(choices), format_func=ui.title_of, key=f"of_{place}")
        named = columns[3].multiselect("One of", choices[of], key=f"is_{place}_{of}")
        return side, {"segment": {"of": of, **({"is": named} if named else {})}}
    if kind == "score":
        decile = columns[2].slider("Tenths with the highest chance", 1, 10, 1, key=f"decile_{place}")
        return side, {"score": {"by": "decile", "at_most": decile}}
    table = EVERYBODY[entity]
    known = [column for column in tables.columns.get(table, {}) if column != entity]
    if not known:
        return side, None
    column = columns[2].selectbox("Column", known, format_func=ui.title_of, key=f"column_{place}")
    test = _test(columns[3], tables, column, f"{place}_{column}")
    return side, {"attribute": {"column": column, **test}} if test else None


def _test(where: Any, tables: Tables, column: str, key: str) -> dict[str, Any]:
    """Let the reader choose what must hold of a column, by its type."""
    table = EVERYBODY["user_id"]
    kind = kind_of(tables.columns[table][column])
    if kind == "text":
        chosen = where.multiselect("One of", sorted(tables.values(table, column)), key=f"values_{key}")
        return {"is": chosen} if chosen else {}
    compared = where.selectbox("Is", list(_COMPARED), format_func=_COMPARED.__getitem__, key=f"test_{key}")
    if compared == "is_missing":
        return {"is_missing": True}
    if kind == "date":
        chosen = where.date_input("Day", None, key=f"day_{key}")
        return {compared: chosen} if isinstance(chosen, date) else {}
    return {compared: where.number_input("Value", value=0.0, key=f"number_{key}")}
