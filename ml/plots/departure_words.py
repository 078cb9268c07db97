"""What report and dashboard say alike of the scores of departure.

Belongs here: sentences over the figures of `departure` and `departure_quality`. Does not belong here: the scores
(`ml.departure`), one page's own words.
"""

from collections.abc import Mapping
from typing import Any

from ml.plots.words import decimals, percent

Figures = Mapping[str, Mapping[str, Any]]
"""Measure to its row of `departure_quality`."""


def expected(scored: Mapping[str, Any]) -> str:
    """Say how many are expected to leave, of `users`, `mean_score` and `horizon_days`."""
    return (
        f"{percent(scored['mean_score'])} of {scored['users']:,} users active of late are expected to show nothing in "
        f"the next {scored['horizon_days']} days"
    )


def judged(figures: Figures) -> str:
    """Say on whom the scores were judged."""
    return (
        f"Judged on {figures['judged_users']['value']:,.0f} users as of an earlier day, of whom "
        f"{percent(figures['departed_share']['value'])} left, by a model that had learned from still earlier ones."
    )


def why_not(figures: Figures) -> str:
    """Say which figure kept the scores from being published."""
    auc, gain = figures["auc"], figures["auc_gain"]
    if gain["passed"] is False:
        interval = f"{decimals(gain['low'])} to {decimals(gain['high'])}"
        return (
            f"No scores, for they do not tell more than recency alone: AUC {decimals(auc['value'])} beside "
            f"{decimals(auc['beside'])}, a gain of {interval} at 95 %"
        )
    return f"No scores, for they tell too little: AUC {decimals(auc['value'])}, {decimals(auc['threshold'])} asked for"
