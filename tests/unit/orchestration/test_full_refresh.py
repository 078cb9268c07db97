"""A run that asks for it makes every table anew; any other lets dbt carry tables on."""

from types import SimpleNamespace

import pytest

from orchestration.tools import dbt, dbt_assets
from orchestration.tools.run_tags import FULL_REFRESH_TAG
from orchestration.tools.warehouse import WarehouseResource


@pytest.mark.parametrize("is_subset", [True, False])
@pytest.mark.parametrize(("tags", "is_anew"), [({FULL_REFRESH_TAG: "true"}, True), ({}, False)])
def test_the_tag_of_a_run_reaches_dbt(tmp_path, monkeypatch, tags, is_anew, is_subset):
    asked = []

    def invoke(args, **_):
        asked.append(args)
        raise KeyboardInterrupt

    monkeypatch.setattr(dbt, "invoke", invoke)
    monkeypatch.setattr(dbt, "project", lambda: SimpleNamespace(nodes={}, sources={}))
    monkeypatch.setattr(dbt_assets, "_selected", lambda _: ({"model.matinee.users": None}, {}))
    context = SimpleNamespace(run=SimpleNamespace(tags=tags), is_subset=is_subset)
    with pytest.raises(KeyboardInterrupt):
        list(dbt_assets.build(context, WarehouseResource(path=str(tmp_path))))
    assert ("--full-refresh" in asked[0]) == is_anew
