"""The report's content as one HTML page.

Belongs here: the template's surroundings, number formats. Does not belong here: reading anything.
"""

from functools import cache
from pathlib import Path

import jinja2

from ml.plots.segment_words import AGREEMENT
from ml.plots.words import decimals, number, percent, short_name
from report.charts import index_chart
from report.context import ReportContext


def render_report(context: ReportContext) -> str:
    """Return the page: one file that needs neither scripts nor a network.

    The same content gives the same page, byte for byte. All text from the data is escaped.
    """
    return _environment().get_template("page.html.jinja").render(report=context)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        # Everything is escaped, whatever a template is called.
        autoescape=True,
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["agreement"] = AGREEMENT
    environment.filters |= {
        "charted": index_chart,
        "count": lambda value: f"{value:,}",
        "number": lambda value: "–" if value is None else number(value),
        "decimals": lambda value, digits=2: "–" if value is None else f"{value:.{digits}f}".replace("-", "−"),
        "exact": lambda value, digits=0: "–" if value is None else decimals(value, digits),
        "signed": _signed,
        "shortened": short_name,
        "sentence": lambda text: text[:1].upper() + text[1:],
        "percent": lambda share: "–" if share is None else percent(share),
        "p_value": lambda p: "–" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}",
        "whole_percent": lambda share: (
            "–" if share is None else "<1%" if 0 < share < 0.005 else percent(share, 0)
        ),
        "megabytes": lambda size: f"{size / 1e6:,.1f} MB" if size >= 1e5 else f"{size / 1e3:,.1f} KB",
    }
    return environment


def _signed(value: float | None, digits: int = 0) -> str:
    """Return a change with its sign: `+1,204`, `−0.012`, `0`; a dash where there is none."""
    if value is None:
        return "–"
    return f"{'+' if round(value, digits) > 0 else ''}{decimals(value, digits)}"
