"""The picture of the house in docs/architecture.md is what the imports say."""

import re
from itertools import product

import grimp
import pytest

from tests.conftest import PROJECT_ROOT

ROOMS = ("dashboard", "ingest", "ml", "orchestration", "published", "report")
Edges = set[tuple[str, str]]


def room_of(module: str) -> str:
    """Return the room a module lives in: a package, and in orchestration the wing."""
    package, _, rest = module.partition(".")
    return rest.partition(".")[0] if package == "orchestration" and rest else package


def imports_between_rooms() -> Edges:
    graph = grimp.build_graph(*ROOMS)
    found = {
        (room_of(module), room_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return {(above, below) for above, below in found if above != below and above != "__main__"}


def reached(edges: Edges) -> Edges:
    """Return every pair of rooms that a way of edges leads through."""
    rooms = sorted({room for edge in edges for room in edge})
    ways = set(edges)
    for between, above, below in product(rooms, rooms, rooms):
        if {(above, between), (between, below)} <= ways:
            ways.add((above, below))
    return ways


def shortest(edges: Edges) -> Edges:
    """Return the edges without those that a way through other rooms makes needless."""
    ways = reached(edges)
    return {
        (above, below)
        for above, below in edges
        if not any((above, room) in ways and (room, below) in ways for room, _ in edges)
    }


@pytest.fixture(scope="module")
def drawn() -> Edges:
    text = (PROJECT_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = text.partition("```mermaid\n")[2].partition("```")[0]
    found: Edges = set()
    for line in re.findall(r"^\s*(\w+ --> .*)$", picture, flags=re.MULTILINE):
        above, below = line.split(" --> ")
        found |= {(above.strip(), room.strip()) for room in below.split("&")}
    return found


def test_the_picture_shows_every_way_that_imports_take_and_no_other(drawn):
    assert drawn == shortest(imports_between_rooms())


def test_every_room_of_the_picture_says_what_it_holds():
    text = (PROJECT_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(?:orchestration/)?(\w+)[/.`]", text, flags=re.MULTILINE))
    rooms = {room for edge in imports_between_rooms() for room in edge}
    assert rooms <= described
