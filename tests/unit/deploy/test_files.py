"""What `deploy/` starts exists: its commands, their options, its settings, the lock file's own Python."""

import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from packaging.version import Version

import dashboard.settings
from orchestration.settings import Settings
from tests.conftest import PROJECT_ROOT

DEPLOY = PROJECT_ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if name != "proxy"}
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
INSTALLED = Path(sys.executable).parent


def instructions(name: str) -> list[str]:
    """Return the arguments of every instruction of a name, a line each."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return [" ".join(line.split()[1:]) for line in joined.splitlines() if line.split()[:1] == [name]]


def environment() -> dict[str, str]:
    lines = (DEPLOY / "matinee.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def commands() -> dict[str, list[str]]:
    """Return what the three services run, by where it is written."""
    found = {f"compose: {name}": service["command"] for name, service in OURS.items()}
    found |= {
        f"compose: health of {name}": service["healthcheck"]["test"][1:]
        for name, service in OURS.items()
        if "healthcheck" in service
    }
    for unit in UNITS:
        ((started,),) = [
            re.findall(r"^ExecStart=/opt/matinee/\.venv/bin/(.+)$", unit.read_text(), re.MULTILINE)
        ]
        found[f"systemd: {unit.stem}"] = started.split()
    (by_default,) = instructions("CMD")[-1:]
    found["Dockerfile"] = yaml.safe_load(by_default)
    return found


@cache
def help_of(program: str, *subcommand: str) -> str:
    """Return what a program says of itself; two ways to deploy start the same ones."""
    done = subprocess.run(
        [INSTALLED / program, *subcommand, "--help"], capture_output=True, text=True, check=True,
        env=os.environ | {"COLUMNS": "200", "TERMINAL_WIDTH": "200"},
    )  # fmt: skip
    return done.stdout


@pytest.mark.parametrize("where", commands())
def test_every_command_that_is_started_is_installed_and_knows_the_options(where):
    program, *arguments = commands()[where]
    assert (INSTALLED / program).exists()
    if program == "python":
        compile(arguments[arguments.index("-c") + 1], where, "exec")
        return
    subcommand = [argument for argument in arguments[:1] if not argument.startswith("-")]
    options = {argument for argument in arguments if argument.startswith("--")}
    assert options <= set(re.findall(r"--[\w-]+", help_of(program, *subcommand)))


def test_the_same_environment_goes_to_every_service_and_names_known_settings_with_values_that_are_taken(
    monkeypatch,
):
    assert {service["env_file"] for service in OURS.values()} == {"matinee.env"}
    assert all("EnvironmentFile=/etc/matinee/matinee.env" in unit.read_text() for unit in UNITS)
    known = {f"MATINEE_{name.upper()}" for name in Settings.model_fields}
    known |= {dashboard.settings.WAREHOUSE, dashboard.settings.MINIMUM, dashboard.settings.NAMES}
    elsewhere = {"DAGSTER_HOME", "DO_NOT_TRACK", "DBT_SEND_ANONYMOUS_USAGE_STATS", "PATH", "PYTHONUNBUFFERED"}
    (of_image,) = instructions("ENV")
    names = {*environment(), *re.findall(r"(\w+)=", of_image)}
    assert names <= known | elsewhere
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
        assert (
            f"{name}={value}" in of_image or name.startswith("MATINEE_S") or name == dashboard.settings.NAMES
        )
    assert str(Settings().warehouse) == environment()["MATINEE_WAREHOUSE"]


def test_warehouse_and_history_lie_in_volumes_and_a_warehouse_can_be_put_in_place_whole():
    assert set(COMPOSE["volumes"]) == {"warehouse", "dagster"}
    warehouse, home = (Path(environment()[name]) for name in ("MATINEE_WAREHOUSE", "DAGSTER_HOME"))
    mounted = {line.split(":")[1] for line in OURS["daemon"]["volumes"]}
    assert {
        str(warehouse.parent),
        str(home),
        environment()["MATINEE_SOURCE"],
        f"{home}/dagster.yaml",
    } == mounted
    assert OURS["dashboard"]["volumes"] == [f"warehouse:{warehouse.parent}:ro"]
    for service in COMPOSE["services"].values():
        for volume in service["volumes"]:
            here = (DEPLOY / volume.split(":")[0]).resolve()
            if volume.startswith((".", "..")) and here.name not in (
                "raw",
                "tls",
                "readers.htpasswd",
                "operators.htpasswd",
            ):
                assert here.is_file()


def test_only_the_proxy_is_reached_from_outside_and_every_service_has_its_health_looked_at():
    assert [name for name, service in COMPOSE["services"].items() if "ports" in service] == ["proxy"]
    lasting = [service for service in COMPOSE["services"].values() if service["restart"] == "unless-stopped"]
    assert len(lasting) == 4
    assert all("healthcheck" in service for service in lasting)
    assert all(
        "--host 127.0.0.1" in text or "--host" not in text for text in (unit.read_text() for unit in UNITS)
    )


def test_the_image_is_built_from_the_lock_file_on_a_python_that_the_project_takes_and_runs_as_nobody_special():
    project = re.search(r'requires-python = "(.+)"', (PROJECT_ROOT / "pyproject.toml").read_text())
    assert project
    for image in instructions("FROM"):
        version = re.fullmatch(r"python:(3\.\d+)-slim( AS built)?", image)
        assert version
        assert Version(version[1]) in SpecifierSet(project[1])
    installs = [part for run in instructions("RUN") for part in run.split(" && ") if "pip install" in part]
    hashed, own = (part.partition("pip install ")[2].split() for part in installs)
    assert hashed[-3:] == ["--require-hashes", "-r", "requirements.lock"]
    assert own[-2:] == ["--editable", "."]
    assert all("--no-deps" in part for part in (hashed, own))
    assert "index" not in " ".join(installs)
    # The lines of the lock file that pip is to hold packages to.
    locked = (PROJECT_ROOT / "requirements.lock").read_text()
    assert re.search(r"^dagster==[\d.]+ \\\n    --hash=sha256:", locked, re.MULTILINE)
    copied = [
        argument for copy in instructions("COPY") for argument in copy.split()[:-1] if "=" not in argument
    ]
    assert all(argument.startswith("/") or (PROJECT_ROOT / argument).exists() for argument in copied)
    assert instructions("USER") == ["matinee"]
    assert len(instructions("HEALTHCHECK")) == 1


def test_one_process_makes_the_history_before_two_that_use_it_start():
    # Two that make it at once leave two revisions in it, and Dagster then loads nothing.
    assert OURS["history"]["command"] == ["dagster", "instance", "info"]
    for name in ("webserver", "daemon"):
        assert OURS[name]["depends_on"] == {"history": {"condition": "service_completed_successfully"}}
    daemon, webserver = (
        (DEPLOY / f"systemd/matinee-{name}.service").read_text() for name in ("daemon", "webserver")
    )
    assert "ExecStartPre=/opt/matinee/.venv/bin/dagster instance info" in daemon
    assert re.search("^After=.*matinee-daemon.service$", webserver, re.MULTILINE)


def test_the_image_is_built_once_and_pulled_from_nowhere():
    assert [name for name, service in OURS.items() if "build" in service] == ["history"]
    assert {service["pull_policy"] for service in OURS.values()} == {"build", "never"}


@pytest.mark.skipif(shutil.which("ldd") is None, reason="no ldd on this machine")
def test_the_image_has_every_library_of_the_system_that_a_package_needs():
    # What a Debian has that can install anything, and what only a graphics card needs.
    there = r"(libc|libm|libdl|librt|libpthread|libresolv|libutil|libgcc_s|libstdc\+\+|libz)\.so|libcu|librmm|librapids"
    (site_packages,) = INSTALLED.parent.glob("lib/python3*/site-packages")
    own = {path.name: path for path in site_packages.rglob("*.so*")}
    done = subprocess.run(["ldd", *own.values()], capture_output=True, text=True, check=False)
    needed = {name for name in re.findall(r"^\t(\S+) =>", done.stdout, re.MULTILINE) if name not in own}
    assert {name for name in needed if not re.match(there, name)} == {"libgomp.so.1"}
    assert "libgomp1" in instructions("RUN")[-2]


def test_no_call_that_a_unit_forbids_kills_a_run():
    # A library that asks for more of the system than it needs is told no, and goes on.
    assert all("SystemCallErrorNumber=EPERM" in unit.read_text() for unit in UNITS)


def test_what_an_installation_has_of_its_own_is_neither_committed_nor_in_the_image():
    ignored = (PROJECT_ROOT / ".gitignore").read_text().splitlines()
    left_out = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    for own in ("deploy/raw", "deploy/tls", "deploy/*.htpasswd"):
        assert own in left_out
        assert {own, f"{own}/"} & set(ignored)


def test_systemd_takes_every_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine (Debian: apt-get install systemd)")
    for unit in UNITS:
        text = (
            unit.read_text()
            .replace("/opt/matinee/.venv/bin", str(INSTALLED))
            .replace("/opt/matinee", str(PROJECT_ROOT))
        )
        (tmp_path / unit.name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", *tmp_path.glob("*.service")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert len(UNITS) == 3
    assert all("Restart=on-failure" in unit.read_text() for unit in UNITS)
