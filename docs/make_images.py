"""Make the pictures of the documentation from a finished run on the demo world.

    python docs/make_images.py WAREHOUSE

Belongs here: which picture is taken from where. Does not belong here: drawing (`ml.plots`), the report.
Only invented data may stand in a picture, so a warehouse of any other source is refused.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

from ml.plots.shrink import thumbnail

IMAGES = Path(__file__).with_name("images")
PLOTS = {
    "personas.png": Path("plots/user_ratings/heatmap.png"),
    "persona-map.png": Path("plots/user_ratings/pca_map_k5.png"),
}
WIDTH, HEIGHT = 1280, 1000
PORT = 8599
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Write every picture, or say what is missing."""
    parser = argparse.ArgumentParser(description="Make docs/images from a run on the demo world.")
    parser.add_argument("warehouse", type=Path, help="folder of a finished `matinee run`")
    warehouse = parser.parse_args().warehouse.resolve()
    source = warehouse / "landing" / "current" / "source.json"
    if not source.is_file():
        sys.exit(f"{warehouse} has no landed files: run `matinee run` first")
    described = json.loads(source.read_text(encoding="utf-8"))["description"]
    if not described.startswith("the demo world"):
        sys.exit(f"{warehouse} holds {described}: pictures are made of the demo world only")
    IMAGES.mkdir(exist_ok=True)
    for name, plot in PLOTS.items():
        (IMAGES / name).write_bytes(thumbnail((warehouse / plot).read_bytes(), width=WIDTH))
    (IMAGES / "report.png").write_bytes(thumbnail(_screenshot(warehouse / "report" / "index.html"), WIDTH))
    (IMAGES / "dashboard.png").write_bytes(thumbnail(_dashboard(warehouse), WIDTH))


def _browser() -> str:
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit(f"pictures of pages need one of these browsers: {', '.join(BROWSERS)}")
    return browser


def _dashboard(warehouse: Path) -> bytes:
    """Return a picture of the dashboard's map of personas, taken from the dashboard itself."""
    command = [sys.executable, "-m", "orchestration", "dashboard", "--port", str(PORT)]
    server = subprocess.Popen([*command, "--warehouse", str(warehouse)])  # noqa: S603 - our own command
    try:
        with sync_playwright() as playwright:
            opened = playwright.chromium.launch(executable_path=_browser(), args=["--no-sandbox"])
            page = opened.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
            _visit(page, f"http://127.0.0.1:{PORT}/segments?view=Map")
            page.get_by_test_id("stPlotlyChart").first.wait_for(timeout=60_000)
            page.wait_for_timeout(2_000)  # until the points are drawn
            return page.screenshot()
    finally:
        server.terminate()
        server.wait()


def _visit(page: Page, address: str, tries: int = 60) -> None:
    for _ in range(tries):
        try:
            page.goto(address)
        except PlaywrightError:  # the server is still starting
            time.sleep(0.5)
        else:
            return
    sys.exit(f"the dashboard did not answer at {address}")


def _screenshot(page: Path) -> bytes:
    browser = _browser()
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "page.png"
        command = [browser, "--headless", "--no-sandbox", "--hide-scrollbars"]
        command += [f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - a browser found by name
        return picture.read_bytes()


if __name__ == "__main__":
    main()
