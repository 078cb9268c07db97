"""What the command line says of itself before it does anything."""

import tomllib
from importlib import import_module

import pytest
from typer.testing import CliRunner

from orchestration.commands.cli import COMMANDS, app
from orchestration.settings import PROJECT_ROOT


def said(*args: str) -> str:
    done = CliRunner().invoke(app, list(args), env={"COLUMNS": "80"})
    return " ".join(done.output.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_a_whole_sentence_of_a_command_the_one_its_own_help_begins_with(name):
    module, sentence = COMMANDS[name]
    function = getattr(import_module(f"orchestration.commands.{module}"), name.replace("-", "_"))
    assert sentence.endswith(".")
    assert function.__doc__.partition("\n")[0] == sentence
    assert f"{name} {sentence}" in said("--help")
    assert sentence in said(name, "--help")


def test_the_version_is_that_of_the_package():
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())["project"]
    assert said("--version") == f"matinee {project['version']}"


def test_a_mistyped_command_is_answered_with_the_nearest_one():
    assert "Did you mean 'recommend'?" in said("recomend")


def test_a_source_that_is_nowhere_is_told_of_wherever_it_was_named():
    for args, env in ((["run", "--source", "/no/such"], {}), (["run"], {"MATINEE_SOURCE": "/no/such"})):
        done = CliRunner().invoke(app, args, env=env)
        assert done.exit_code == 2
        assert "/no/such: there is no such file or folder" in done.output
