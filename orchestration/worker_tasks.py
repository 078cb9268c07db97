"""All tasks of the worker process, by name.

Belongs here: the list. Does not belong here: any task.
"""

from orchestration.audience_tasks import draw_audience
from orchestration.recommender_tasks import (
    evaluate_recommenders,
    find_similar_catalogue_titles,
    find_similar_titles,
    fit_recommender,
    list_recommendations,
)
from orchestration.segmentation_tasks import assign_members, draw_plots, profile_segments, train_candidate

__all__ = [
    "assign_members",
    "draw_audience",
    "draw_plots",
    "evaluate_recommenders",
    "find_similar_catalogue_titles",
    "find_similar_titles",
    "fit_recommender",
    "list_recommendations",
    "profile_segments",
    "train_candidate",
]
