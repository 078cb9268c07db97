"""`matinee demo-data`: which form it writes, what it says and how it ends."""

from pathlib import Path

from typer.testing import CliRunner

from orchestration.commands.cli import app


def test_the_form_of_a_service_is_written_when_asked_for_and_every_file_is_named(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["demo-data", "--form", "service", "--out", str(tmp_path)])
    assert answer.exit_code == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {str(path.relative_to(tmp_path)) for path in files} >= {"service.yaml", "plays/2024-12.parquet"}
    assert all(str(path) in answer.output for path in files)


def test_an_unknown_form_is_a_wrong_usage_and_nothing_is_written(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["demo-data", "--form", "hotel", "--out", str(tmp_path / "out")])
    assert answer.exit_code == 2
    assert "service" in answer.output
    assert not (tmp_path / "out").exists()


def test_nothing_comes_after_an_export_that_sent_nobody(tmp_path: Path) -> None:
    after = ["demo-data", "--after-export", "weekly_letter", "--warehouse", str(tmp_path)]
    answer = CliRunner().invoke(app, after)
    assert answer.exit_code == 1
    assert "weekly_letter has sent no users" in answer.output
    assert CliRunner().invoke(app, [*after, "--form", "service"]).exit_code == 2
    assert CliRunner().invoke(app, ["demo-data"]).exit_code == 2
    assert not list(tmp_path.iterdir())
