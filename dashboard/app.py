"""The dashboard's frame: which pages there are, which set they read, how old it is.

Belongs here: navigation and what surrounds every page. Does not belong here: any page.

Streamlit runs this file at every interaction; `matinee dashboard` starts it.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st

from dashboard import settings, ui
from dashboard.views import PAGES, PageEntry
from published.errors import NothingPublishedError, SchemaError, SetVanishedError, TableError
from published.finding import age_in_words, current_set
from published.questions.audience import interest
from published.sets import PublishedSet

_HERE = Path(__file__).parent
_OLD_AFTER_DAYS = 2
"""The refresh is nightly: older than this, one was missed."""
_ATTEMPTS = 3
"""A set can go while a page reads it, when several newer ones were published meanwhile."""


def main() -> None:
    """Show the chosen page on the set that is published now."""
    st.set_page_config(page_title="Matinee", page_icon=str(_HERE / "icon.svg"), layout="wide")
    _mend_contrast()
    st.logo(str(_HERE / "logo.svg"), icon_image=str(_HERE / "icon.svg"), size="large")
    try:
        data = current_set(settings.warehouse())
    except NothingPublishedError as error:
        _say_what_to_do(str(error))
        return
    except SchemaError as error:
        st.error(str(error), icon=":material/error:")
        return
    pages = {
        page.path: st.Page(
            _page_of(page, data),
            title=page.title,
            icon=page.icon,
            url_path=page.path,
            default=position == 0,
            visibility="hidden" if page.is_empty(data) else "visible",
        )
        for position, page in enumerate(PAGES)
    }
    st.session_state[ui.PAGES] = pages
    chosen = st.navigation(list(pages.values()), expanded=True)
    with st.sidebar:
        _say_how_old(data)
        st.caption(f"Genres, titles and recommendations count {interest(data).given}.")
    try:
        chosen.run()
        st.session_state["attempts"] = 0
    except SetVanishedError:
        attempts = st.session_state.get("attempts", 0) + 1
        st.session_state["attempts"] = attempts
        if attempts <= _ATTEMPTS:
            st.rerun()
        st.error("The published set changes faster than this page can be read. Reload it.")
    except TableError as error:
        st.warning(str(error), icon=":material/warning:")


def _mend_contrast() -> None:
    """Give captions and chosen options the contrast of text, which Streamlit does not and no setting of a theme can."""
    colors = ui.theme()
    st.html(
        "<style>:is([data-testid=stCaptionContainer], [data-testid=stCaptionContainer] *) "
        f"{{color: {colors.muted} !important; opacity: 1 !important}} "
        f"[data-testid=stMultiSelect] span[title] {{color: {colors.ground} !important}}</style>"
    )


def _page_of(entry: PageEntry, data: PublishedSet) -> Callable[[], None]:
    """Return the page on this set as Streamlit wants it, a function with a name."""
    page = partial(entry.show, data)
    if entry.is_empty(data):
        page = partial(_say_nothing_is_there, entry)
    page.__name__ = entry.path  # type: ignore[attr-defined]
    return page


def _say_nothing_is_there(entry: PageEntry) -> None:
    st.title(entry.title)
    ui.tell("The source has nothing that this page shows.")


def _say_how_old(data: PublishedSet) -> None:
    now = datetime.now(UTC)
    said = f"Published {age_in_words(data.published_at, now)}"
    if (now - data.published_at).days >= _OLD_AFTER_DAYS:
        st.warning(f"{said}. The refresh may have stopped.", icon=":material/schedule:")
    else:
        st.caption(f":material/schedule: {said}", help=f"{data.published_at:%Y-%m-%d %H:%M} UTC")


def _say_what_to_do(problem: str) -> None:
    st.title("Nothing to show yet")
    ui.tell(problem.replace("\\", "\\\\").replace("_", "\\_"))
    st.markdown("Run everything on the invented demo world, or on files of your own, and reload this page:")
    st.code("matinee run\nmatinee run --source FOLDER_OR_ARCHIVE", language="shell")


main()
