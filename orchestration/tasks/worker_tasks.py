"""All tasks of the worker process, by name.

Belongs here: the list. Does not belong here: any task.
"""

from orchestration.tasks.audience import draw_audience
from orchestration.tasks.departure import score_departures
from orchestration.tasks.recommender import (
    evaluate_recommenders,
    find_similar_catalogue_titles,
    find_similar_titles,
    fit_recommender,
    list_recommendations,
)
from orchestration.tasks.segmentation import (
    assign_members,
    draw_plots,
    has_little_changed,
    judge_candidate,
    profile_segments,
    train_candidate,
)

__all__ = [
    "assign_members",
    "draw_audience",
    "draw_plots",
    "evaluate_recommenders",
    "find_similar_catalogue_titles",
    "find_similar_titles",
    "fit_recommender",
    "has_little_changed",
    "judge_candidate",
    "list_recommendations",
    "profile_segments",
    "score_departures",
    "train_candidate",
]
