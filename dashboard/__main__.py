"""Start the server: `python -m dashboard [options of streamlit run]`; `matinee dashboard` calls it.

Belongs here: starting. Does not belong here: what the server runs at each interaction (`app`).
"""

import atexit
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dashboard.settings import own_names


def main() -> None:
    """Run Streamlit on the app, and get ready for the first page while the browser still loads its own part."""
    from streamlit import file_util, net_util  # noqa: PLC0415 - its second and the pages' go side by side
    from streamlit.web.cli import main as streamlit  # noqa: PLC0415

    threading.Thread(target=_warm_up, daemon=True).start()
    # Before it refuses a foreign page it would ask the internet for this machine's address, and serve nobody for 2 s.
    net_util.get_external_ip = lambda: None
    static = _told_where_it_is(Path(file_util.get_static_dir()))
    file_util.get_static_dir = lambda: str(static)
    given = sys.argv[1:]
    address = given[given.index("--server.address") + 1] if "--server.address" in given else "127.0.0.1"
    sys.argv = ["streamlit", "run", str(Path(__file__).with_name("app.py")), *_names(address), *given]
    streamlit()


def _names(address: str) -> Iterator[str]:
    """Yield the options that let in pages of this server, whatever port a proxy offers them on, and no others."""
    for name in own_names(address):
        literal = f"[{name}]" if ":" in name else name
        yield from ("--server.allowedHosts", name, "--server.corsAllowedOrigins", f"https://{literal}")


def _told_where_it_is(static: Path) -> Path:
    """Return Streamlit's files with a start page that knows that a page lies right below the server.

    Opened at /titles, it would ask for the server below /titles first, and log two errors before it asks above it.
    """
    pages = "|".join(sorted(path.stem for path in Path(__file__).with_name("views").glob("[a-z]*.py")))
    script = (
        f"<script>{{const above = location.pathname.replace(/[/]({pages})[/]?$/, '/');"
        "if (above !== location.pathname) window.__streamlit = {BACKEND_BASE_URL: location.origin + above};}</script>"
    )
    folder = Path(tempfile.mkdtemp(prefix="matinee-dashboard-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    for part in static.iterdir():
        if part.name != "index.html":
            (folder / part.name).symlink_to(part)
    page = (static / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(page.replace("<head>", f"<head>{script}", 1), encoding="utf-8")
    return folder


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
