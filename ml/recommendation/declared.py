"""A model's hyper-parameters as plain values, and back: what was chosen can be stored, read and used again.

Belongs here: the two translations. Does not belong here: choosing (`tuning`), what was learned (`state`).
"""

from dataclasses import fields
from typing import Any

from ml.recommendation.als import Als
from ml.recommendation.blend import Blend
from ml.recommendation.content import Content, ItemFeatures
from ml.recommendation.ease import Ease
from ml.recommendation.errors import RecommendationError
from ml.recommendation.neighbours import Neighbours
from ml.recommendation.popularity import Popular, Rare, RecentPopular, Trend
from ml.recommendation.ranking import Model

_KINDS: dict[str, type] = {
    kind.__name__: kind for kind in (Als, Ease, Neighbours, Popular, Rare, RecentPopular, Trend)
}


def to_settings(model: Model) -> dict[str, Any]:
    """Return the kind and the hyper-parameters of a model, all of them text or numbers.

    Parameters
    ----------
    model
        A model of this package, trained or not. What is said about titles (of `Content`) is data, no setting, and
        left out.
    """
    kind = type(model).__name__
    if isinstance(model, Blend):
        return {
            "kind": kind,
            "parts": [to_settings(part) for part in model.parts],
            "weights": list(model.weights),
            "fallback": to_settings(model.fallback),
        }
    if isinstance(model, Content):
        return {"kind": kind}
    return {"kind": kind} | {field.name: getattr(model, field.name) for field in fields(_KINDS[kind])}


def from_settings(settings: dict[str, Any], features: ItemFeatures | None = None) -> Model:
    """Return the model with these hyper-parameters.

    Parameters
    ----------
    settings
        As `to_settings` gives them.
    features
        What is said about titles; `Content` needs it.

    Raises
    ------
    RecommendationError
        When the settings are of no model of this package, or a part of them needs features.
    """
    values = dict(settings)
    kind = values.pop("kind", None)
    if kind == Blend.__name__:
        parts = tuple(from_settings(part, features) for part in values["parts"])
        return Blend(parts, tuple(values["weights"]), from_settings(values["fallback"], features))
    if kind == Content.__name__ and features is not None:
        return Content(features)
    if kind not in _KINDS:
        msg = f"the stored settings are of no recommender, but of {kind}; train it again"
        raise RecommendationError(msg)
    model: Model = _KINDS[kind](**values)
    return model
