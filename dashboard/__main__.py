"""Start the server: `python -m dashboard [options of streamlit run]`; `matinee dashboard` calls it.

Belongs here: starting. Does not belong here: what the server runs at each interaction (`app`).
"""

import sys
import threading
from contextlib import suppress
from pathlib import Path


def main() -> None:
    """Run Streamlit on the app, and get ready for the first page while the browser still loads its own part."""
    from streamlit.web.cli import main as streamlit  # noqa: PLC0415 - its second and the pages' go side by side

    threading.Thread(target=_warm_up, daemon=True).start()
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *sys.argv[1:]]
    streamlit()


def _warm_up() -> None:
    """Import what pages need, open the published set and draw once: a second that the first reader need not wait."""
    from dashboard.charts.cloud import genre_cloud  # noqa: PLC0415
    from dashboard.settings import warehouse  # noqa: PLC0415
    from dashboard.views import PAGES  # noqa: F401, PLC0415
    from published.errors import PublishedError  # noqa: PLC0415
    from published.finding import current_set  # noqa: PLC0415
    from published.questions.audience import genre_popularity  # noqa: PLC0415

    with suppress(PublishedError):  # the first page says so
        genre_cloud(genre_popularity(current_set(warehouse())))


main()
