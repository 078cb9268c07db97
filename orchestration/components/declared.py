"""What components have in common that a YAML file declares by the schema of its attributes.

Belongs here: taking the checked attributes. Does not belong here: what a component makes of them.
"""

from typing import Any, ClassVar, Generic, Self, TypeVar, cast

import dagster as dg
from pydantic import BaseModel

Spec = TypeVar("Spec", bound=BaseModel)


class DeclaredComponent(dg.Component, Generic[Spec]):
    """A component whose attributes are a `schema`; `called` is what a declaration of it is called."""

    schema: ClassVar[type[BaseModel]]
    called: ClassVar[str]

    def __init__(self, spec: Spec) -> None:
        self.spec = spec

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """Return the schema of the YAML attributes."""
        return cls.schema

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> Self:
        """Build the component from checked attributes."""
        if not isinstance(attributes, cls.schema):
            msg = f"{context.path}: {cls.called} needs attributes"
            raise dg.DagsterInvalidDefinitionError(msg)
        return cls(cast("Spec", attributes))
