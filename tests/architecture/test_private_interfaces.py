"""What a package does not promise is used in few places, all on one list, and the list says true."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.tools.private import PRIVATE, Private
from tests.conftest import PROJECT_ROOT

ROOMS = ("dashboard", "ingest", "ml", "orchestration", "published", "report")
PUBLIC = {
    "dagster": {"dagster"},
    "dagster_dbt": {"dagster_dbt"},
    "dagster_shared": set(),
    "dbt": {"dbt.cli.main", "dbt.adapters.base", "dbt.adapters.duckdb", "dbt.adapters.spark"},
    "google": set(),
}
"""Packages whose deeper modules are their own affair, and the modules of each that its documentation names."""
DOCUMENTED = {"os._exit"}


def private_uses(source: str) -> Iterator[str]:
    """Yield what a module imports or reads of others that is private, as dotted names."""
    tree = ast.parse(source)
    own = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and _is_self(node.value)}
    own |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    own |= {
        node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and _is_name(node.target)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield from (
                f"{node.module}.{name.name}"
                for name in node.names
                if _is_hidden(node.module or "") or _is_hidden(f"{node.module}.{name.name}", is_module=False)
            )
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if _is_hidden(name.name))
        elif isinstance(node, ast.Attribute) and _is_underscored(node.attr):
            name = ast.unparse(node)
            if not _is_self(node.value) and node.attr not in own and name not in DOCUMENTED:
                yield name


def _is_hidden(path: str, *, is_module: bool = True) -> bool:
    root = path.partition(".")[0]
    if root in ROOMS or root == "__future__":
        return False
    if any(_is_underscored(part) for part in path.split(".")):
        return True
    return is_module and root in PUBLIC and path not in PUBLIC[root]


def _is_underscored(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _is_name(node: ast.AST) -> bool:
    return isinstance(node, ast.Name)


def _is_self(node: ast.AST) -> bool:
    return ast.unparse(node) in ("self", "cls", "super()")


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(PROJECT_ROOT).with_suffix("").parts)


def test_no_private_interface_is_used_that_is_not_on_the_list():
    listed = {(entry.used_by, f"{entry.module}.{entry.name}") for entry in PRIVATE}
    used = {
        (module_of(file), name)
        for room in ROOMS
        for file in (PROJECT_ROOT / room).rglob("*.py")
        for name in private_uses(file.read_text(encoding="utf-8"))
    }
    assert used <= listed, f"not in orchestration/tools/private.py: {sorted(used - listed)}"


def test_orchestration_uses_private_interfaces_in_its_tools_only():
    for entry in PRIVATE:
        assert entry.used_by.startswith(("orchestration.tools.", "ml.")), entry


@pytest.mark.parametrize("entry", PRIVATE, ids=lambda entry: entry.name)
def test_a_private_interface_is_as_it_was_when_it_was_tested(entry):
    pytest.importorskip(entry.module.partition(".")[0], reason=f"{entry.package} is an extra")
    assert entry.problem() is None, entry.problem()


@pytest.mark.parametrize("entry", PRIVATE, ids=lambda entry: entry.name)
def test_an_entry_of_the_list_is_used_where_it_says(entry):
    source = PROJECT_ROOT.joinpath(*entry.used_by.split(".")).with_suffix(".py").read_text(encoding="utf-8")
    assert entry.name.rpartition(".")[2] in source


def test_the_list_was_tested_with_the_versions_that_are_asked_for():
    pyproject = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked_for = [*pyproject["dependencies"], *pyproject["optional-dependencies"]["spark"]]
    for entry in PRIVATE:
        assert f"{entry.package}{entry.tested}" in asked_for, entry


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("SqliteEventLogStorage.gone", ("engine",)), ("SqliteEventLogStorage.watch", ("engine",))],
)
def test_a_changed_interface_is_told_of_in_a_plain_sentence(name, parameters):
    entry = Private(
        "our.module", "dagster", ">=1.13,<1.14", "dagster._core.storage.event_log", name, parameters
    )
    said = entry.problem()
    assert said
    assert f"has no {name}(engine): our.module was tested with dagster >=1.13,<1.14" in said


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from dagster._core.instance import Thing", ["dagster._core.instance.Thing"]),
        ("from dagster_dbt.asset_utils import thing", ["dagster_dbt.asset_utils.thing"]),
        ("import dagster.components.core", ["dagster.components.core"]),
        ("from sklearn.cluster import _kmeans", ["sklearn.cluster._kmeans"]),
        ("import atexit\natexit._run_exitfuncs()", ["atexit._run_exitfuncs"]),
        ("import dagster as dg\nfrom dbt.cli.main import dbtRunner\ndg.RunsFilter", []),
        ("class A:\n    def __init__(self, other):\n        self._a = other._a", []),
        ("import os\nos._exit(0)", []),
    ],
)
def test_a_private_use_is_found_in_the_source(source, found):
    assert list(private_uses(source)) == found
