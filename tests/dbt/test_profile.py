from pathlib import Path

import pytest
import yaml
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from dbt.adapters.duckdb.environments.local import LocalEnvironment

from orchestration.tools.dbt import PROJECT_DIR


def test_a_model_is_built_after_one_that_did_not_fit_into_memory(tmp_path: Path) -> None:
    profile = yaml.safe_load((PROJECT_DIR / "profiles.yml").read_text())["matinee"]["outputs"]["duckdb"]
    spill = tmp_path / "spill"
    values = {"threads": 2, "memory_limit": "64MB", "temp_directory": str(spill)}
    for kind in ("settings", "config_options"):
        declared = profile.get(kind, {})
        profile[kind] = declared | {name: value for name, value in values.items() if name in declared}
    del profile["type"]
    environment = LocalEnvironment(
        DuckDBCredentials.from_dict(profile | {"path": str(tmp_path / "w.duckdb")})
    )
    large = "create table large as select range as i, hash(range) as h from range(8_000_000) order by h"
    environment.handle().cursor().execute(large)
    if not (spill.exists() and any(spill.iterdir())):
        pytest.fail("nothing was spilled: the rule is not tried")
    after = environment.handle().cursor().execute("select count(*) from large").fetchall()
    environment.close()
    assert after == [(8_000_000,)]
