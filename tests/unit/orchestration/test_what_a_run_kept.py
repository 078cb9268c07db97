"""A run says at its end what stayed as an earlier one had made it, where anything did."""

from types import SimpleNamespace

import dagster as dg

from orchestration.commands.run.job import what_was_kept


def of_run(*, nodes: list[bool], models: dict[str, bool]) -> SimpleNamespace:
    """A run of nodes of dbt, tables and tests by turns, and of models; true where they were kept."""
    told = [{"unique_id": "x"} | ({"kept_since": "x"} if kept else {}) for kept in nodes]
    made = [dg.AssetMaterialization(["marts", "users"], metadata=metadata) for metadata in told[::2]]
    made += [
        dg.AssetMaterialization([name, "model"], metadata={"kept": is_kept})
        for name, is_kept in models.items()
    ]
    return SimpleNamespace(
        get_asset_materialization_events=lambda: [SimpleNamespace(materialization=one) for one in made],
        get_asset_check_evaluations=lambda: [SimpleNamespace(metadata=metadata) for metadata in told[1::2]],
    )


def test_what_was_kept_is_counted_among_what_there_is():
    run = of_run(nodes=[True, True, False], models={"taste": True, "age": False, "recommender": True})
    said = "Kept from earlier runs: 2 of 3 dbt models and tests, 1 of 2 segmentations, the recommender."
    assert what_was_kept(run) == said


def test_what_was_made_anew_is_not_spoken_of():
    run = of_run(nodes=[True, False], models={"taste": False, "recommender": False})
    assert what_was_kept(run) == "Kept from earlier runs: 1 of 2 dbt models and tests."
    assert not what_was_kept(of_run(nodes=[False], models={"taste": False}))
