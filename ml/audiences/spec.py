"""What an audience is: the declaration that one YAML file holds.

Belongs here: the schema, and the rules that audiences keep among themselves. Does not belong here: what a condition is
in SQL (`ml.audiences.compile`).
"""

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from itertools import product
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationError,
    model_validator,
)

_MOST_NAMED = 8


class AudienceError(ValueError):
    """A rule cannot be what it says; the message names what is wrong and the nearest names."""


class LackingError(AudienceError):
    """A rule asks for what only a table without rows could have: the source has none of it, and no name is wrong."""


class _Declaration(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @property
    def given(self) -> dict[str, Any]:
        """The fields that were declared, by the names that YAML has for them."""
        fields = type(self).model_fields
        return {fields[name].alias or name: getattr(self, name) for name in self.model_fields_set}


def _listed(given: object) -> object:
    return given if given is None or isinstance(given, (list, tuple)) else [given]


Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Value = StrictBool | StrictInt | FiniteFloat | date | StrictStr
Values = Annotated[tuple[Value, ...], BeforeValidator(_listed, json_schema_input_type=Value | list[Value])]
Texts = Annotated[
    tuple[str, ...], Field(min_length=1), BeforeValidator(_listed, json_schema_input_type=str | list[str])
]
"""One or several; with several, one of them. None is no way to ask for all: that is to leave the field out."""


class Compare(_Declaration):
    """What must hold of a value; all that is given must. Only `is_missing` holds where there is none."""

    at_least: Value | None = None
    at_most: Value | None = None
    above: Value | None = None
    below: Value | None = None
    between: tuple[Value, Value] | None = None
    """From the first to the second, both included."""
    is_: Values = Field(default=(), alias="is")
    is_not: Values = ()
    is_missing: bool | None = None

    @property
    def tests(self) -> dict[str, Any]:
        """What is asked, by name."""
        given = self.given
        return {name: given[name] for name in _TESTS if name in given}

    @model_validator(mode="after")
    def _something_is_asked(self) -> Self:
        asked = self.tests
        if not asked or any(value in (None, ()) for value in asked.values()):
            msg = f"give at least one of {', '.join(_TESTS)}, with a value"
            raise ValueError(msg)
        if "is_missing" in asked and len(asked) > 1:
            msg = "is_missing stands alone: what is missing has no value to compare"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _something_can_hold(self) -> Self:
        low_to, to_high = self.between or (None, None)
        lows: list[tuple[str, Any, bool]] = [
            ("at_least", self.at_least, False),
            ("above", self.above, True),
            ("between", low_to, False),
        ]
        highs: list[tuple[str, Any, bool]] = [
            ("at_most", self.at_most, False),
            ("below", self.below, True),
            ("between", to_high, False),
        ]
        for (low_name, low, is_above), (high_name, high, is_below) in product(lows, highs):
            if low is None or high is None or not _are_of_a_kind(low, high):
                continue
            if low > high or (low == high and (is_above or is_below)):
                names = "between" if low_name == high_name else f"{low_name} and {high_name}"
                msg = f"{names}: nothing lies from {low} to {high}"
                raise ValueError(msg)
        return self


_TESTS = ("at_least", "at_most", "above", "below", "between", "is", "is_not", "is_missing")


def _are_of_a_kind(one: Any, other: Any) -> bool:
    """Whether two values can be told to be in order: of others the column they are compared with tells."""
    return any(isinstance(one, kind) and isinstance(other, kind) for kind in ((int, float), date, str))


class Segment(_Declaration):
    """Members of segments; any segment where only the segmentation is given."""

    of: Identifier
    """Name of the segmentation."""
    is_: Texts = Field(default=(), alias="is")
    level: Texts = ()


class Feature(Compare):
    """A column of a table of features; of several rows of a person one is enough."""

    table: Annotated[str, Field(pattern=r"^features\.[a-z][a-z0-9_]*$")]
    column: str


class Attribute(Compare):
    """What is known of the person: a column of `marts.users`, of customers one of their staging table."""

    column: str


class Watched(_Declaration):
    """At least so many different titles watched, of some titles or genres where these are given."""

    title: Texts = ()
    """Names or ids."""
    genre: Texts = ()
    """Labels, or names in snake case."""
    at_least: Annotated[int, Field(ge=1)] = 1
    within_days: Annotated[int, Field(ge=1)] | None = None
    """Before the latest view that anybody has."""


class Rated(Watched):
    """The same of ratings."""

    rating: Compare | None = None
    """What must hold of the rating."""

    @model_validator(mode="after")
    def _a_rating_is_there(self) -> Self:
        if self.rating and self.rating.is_missing is not None:
            msg = "rating cannot be missing: who rated gave one"
            raise ValueError(msg)
        return self


class Recency(Compare):
    """Days since the person's last view or rating, counted from the last that anybody has."""

    of: Literal["views", "ratings", "either"] = "either"


class Score(Compare):
    """A score that a model gives each person, or its decile, 1 for the tenth with the highest."""

    of: Identifier = "departure"
    by: Literal["score", "decile"] = "score"

    @model_validator(mode="after")
    def _is_a_score(self) -> Self:
        low, high = (0, 1) if self.by == "score" else (1, 10)
        for test, asked in self.tests.items():
            for value in asked if isinstance(asked, tuple) else (asked,):
                is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
                if is_number and not low <= value <= high:
                    msg = f"{test}: a {self.by} is from {low} to {high}, and {value} is not"
                    raise ValueError(msg)
        return self


class Condition(_Declaration):
    """One condition: exactly one of these keys."""

    all: tuple["Condition", ...] = ()
    any: tuple["Condition", ...] = ()
    not_: "Condition | None" = Field(default=None, alias="not")
    segment: Segment | None = None
    feature: Feature | None = None
    attribute: Attribute | None = None
    watched: Watched | None = None
    rated: Rated | None = None
    recency: Recency | None = None
    score: Score | None = None
    audience: Identifier | None = None

    @model_validator(mode="after")
    def _is_one_condition(self) -> Self:
        if len(self.given) != 1 or next(iter(self.given.values())) in (None, ()):
            names = ", ".join(field.alias or name for name, field in type(self).model_fields.items())
            msg = f"a condition has exactly one key, of {names}, and something in it"
            raise ValueError(msg)
        return self

    @property
    def kind(self) -> str:
        """Its one key."""
        return next(iter(self.given))

    @property
    def inner(self) -> Any:
        """What stands under that key."""
        return next(iter(self.given.values()))

    @property
    def parts(self) -> tuple["Condition", ...]:
        """The conditions that it is put together from; none of a single one."""
        if self.kind in ("all", "any"):
            return self.all or self.any
        return (self.not_,) if self.not_ else ()

    @property
    def leaves(self) -> list["Condition"]:
        """The single conditions in it."""
        return [leaf for part in self.parts for leaf in part.leaves] or [self]


Conditions = Annotated[
    tuple[Condition, ...], BeforeValidator(_listed, json_schema_input_type=Condition | list[Condition])
]


class AudienceSpec(_Declaration):
    """A whole audience: who is in it, who is not, which one goes first, who is held out."""

    name: Identifier
    description: str = Field(min_length=1)
    entity: Literal["user_id", "customer_id"] = "user_id"
    include: Conditions = ()
    """All must hold; everybody where none is given."""
    exclude: Conditions = ()
    """None may hold."""
    priority: Annotated[int, Field(ge=1)] | None = None
    """A person is in one of the audiences that have one: that of the lowest number."""
    holdout: Annotated[float, Field(ge=0, lt=1)] | None = None
    """Share of the members that is held out of this audience, beside those held out of all."""

    @property
    def steps(self) -> list[tuple[Literal["include", "exclude"], Condition]]:
        """The conditions in the order in which they narrow everybody down to the members."""
        kept = [one for each in self.include for one in (each.all or (each,))]
        dropped = [one for each in self.exclude for one in (each.any or (each,))]
        return [*(("include", one) for one in kept), *(("exclude", one) for one in dropped)]

    @property
    def audiences(self) -> set[str]:
        """The other audiences that it is made of."""
        return {leaf.audience for leaf in self._leaves if leaf.audience}

    @property
    def segmentations(self) -> set[str]:
        """The segmentations whose segments it names."""
        return {leaf.segment.of for leaf in self._leaves if leaf.segment}

    @property
    def _leaves(self) -> list[Condition]:
        return [leaf for _, condition in self.steps for leaf in condition.leaves]


def parse_audience(attributes: object) -> AudienceSpec:
    """Return the audience that these attributes declare.

    Raises
    ------
    AudienceError
        When they declare none; the message names each field and what is accepted.
    """
    try:
        return AudienceSpec.model_validate(attributes)
    except ValidationError as error:
        said = []
        for problem in error.errors():
            field = ".".join(map(str, problem["loc"]))
            if problem["type"] == "extra_forbidden":
                why = no_such_field(AudienceSpec, problem["loc"])
            else:
                why = problem["msg"].removeprefix("Value error, ")
            said.append(f"{field}: {why}" if field else why)
        raise AudienceError("; ".join(said)) from None


def no_such_field(model: type[BaseModel], where: Sequence[int | str]) -> str:
    """Return that a declaration has no field of the name at the end of a way into it, and which are nearest."""
    for step in where[:-1]:
        if isinstance(step, str):
            field = next(field for name, field in model.model_fields.items() if step in (name, field.alias))
            model = _model_in(field.annotation) or model
    fields = [field.alias or name for name, field in model.model_fields.items()]
    return f"there is no such field{nearest(str(where[-1]), fields, len(fields))}"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the declaration that a field holds, by itself, as one of several or where it may be left out."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)


def check_together(specs: Mapping[str, AudienceSpec], segmentations: Mapping[str, str] | None = None) -> None:
    """Check what audiences are to each other, and to segmentations.

    Parameters
    ----------
    specs
        Audiences by name.
    segmentations
        Segmentations to their entities: the ids of two entities may be the same, and are of no same people.

    Raises
    ------
    AudienceError
        When one names another that is not there or of another entity, or a segmentation of another entity, when they go
        in a circle, or when two have the same priority.
    """
    first: dict[tuple[str, int], str] = {}
    for name, spec in sorted(specs.items()):
        for other in sorted(spec.audiences):
            if other not in specs:
                raise AudienceError(
                    f"{name}: there is no audience {other!r}{nearest(other, sorted(set(specs) - {name}))}"
                )
            if specs[other].entity != spec.entity:
                msg = f"{name}: it is of {spec.entity}, and the audience {other!r} of {specs[other].entity}"
                raise AudienceError(msg)
        for of in sorted(spec.segmentations):
            if (entity := (segmentations or {}).get(of, spec.entity)) != spec.entity:
                msg = f"{name}: it is of {spec.entity}, and the segmentation {of!r} of {entity}"
                raise AudienceError(msg)
        if spec.priority is not None:
            taken = first.setdefault((spec.entity, spec.priority), name)
            if taken != name:
                raise AudienceError(
                    f"{name}: priority {spec.priority} is that of {taken!r}; give each its own"
                )
    good: set[str] = set()
    for name in sorted(specs):
        _refuse_circle(name, specs, (), good)


def _refuse_circle(
    name: str, specs: Mapping[str, AudienceSpec], way: tuple[str, ...], good: set[str]
) -> None:
    if name in way:
        circle = " → ".join([*way[way.index(name) :], name])
        raise AudienceError(f"audiences go in a circle: {circle}; each is made of the next one")
    for other in sorted(specs[name].audiences - good):
        _refuse_circle(other, specs, (*way, name), good)
    good.add(name)


def nearest(name: str, there_are: list[str], most: int = _MOST_NAMED) -> str:
    """Return the end of a sentence that says which names are like one that is not there."""
    if close := get_close_matches(name, there_are, 3, 0.5):
        return f"; nearest: {listed(close)}"
    more = ", …" if len(there_are) > most else ""
    return f"; there are: {listed(there_are[:most])}{more}" if there_are else "; there are none"


def listed(names: Sequence[str]) -> str:
    """Return names as a list, in quotes where a comma in one would make it look like two."""
    return ", ".join(map(repr, names) if any("," in name for name in names) else names)
