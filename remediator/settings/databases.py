"""The section `databases` of remediator.yml: databases of applications, and what may be asked of them."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from remediator.domain.substitution import placeholder
from remediator.domain.target import Target, no_object
from remediator.settings.sections import Section


def _a_target(text: str) -> str:
    Target.parse(text, cluster="")
    return text


def _a_config_map(text: str) -> str:
    namespace, _, name = text.partition("/")
    wrong = no_object(namespace, name)
    if wrong is not None:
        raise ValueError(f"not namespace/name of a ConfigMap: {wrong}")
    return text


def _a_placeholder(text: str) -> str:
    placeholder(text)
    return text


class QueryParameter(Section):
    """What is bound for `$1`, `$2`, ... of a named query; never put into its text."""

    value: Annotated[str, AfterValidator(_a_placeholder)]
    """One of `${labels.NAME}`, `${target.kind}`, `${target.namespace}` and `${target.name}`."""
    type: Literal["text", "integer", "number"] = "text"


class NamedQuery(Section):
    """A query of the operator's own, which a rule may name and nothing else."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
    sql: str = Field(min_length=1)
    """One SELECT. Its columns come as JSON, one row each."""
    parameters: tuple[QueryParameter, ...] = Field(default=(), max_length=20)
    masked: tuple[str, ...] = ()
    """Columns of whose values nothing is shown: what names a person."""
    digest: Literal["security", "access"] | None = None
    """The section of the digest that shows what it answers."""

    @model_validator(mode="after")
    def _asked_for_nobody(self) -> Self:
        if self.digest is not None and self.parameters:
            raise ValueError(
                "a query of the digest can have no parameters: no alert is there to fill them in"
            )
        return self


class ApplicationDatabase(Section):
    """A database of applications: it is only ever read."""

    name: str = Field(min_length=1)
    dsn_file: Path
    targets: tuple[Annotated[str, AfterValidator(_a_target)], ...] = ()
    """`kind/namespace/name` of the workloads whose schema it holds."""
    server: Annotated[str, AfterValidator(_a_target)] | None = None
    """The workload that is its server, where that runs in this cluster."""
    backups: Annotated[str, AfterValidator(_a_config_map)] | None = None
    """`namespace/name` of the ConfigMap in which whoever makes backups tells of the newest verified one."""
    version_query: str | None = None
    """Answers the version as one text; None asks the tables of the known migration tools."""
    queries: tuple[NamedQuery, ...] = ()

    @field_validator("queries")
    @classmethod
    def _each_once(cls, queries: tuple[NamedQuery, ...]) -> tuple[NamedQuery, ...]:
        names = [each.name for each in queries]
        twice = sorted({each for each in names if names.count(each) > 1})
        if twice:
            raise ValueError(f"there are two queries named {twice[0]}")
        return queries

    def serves(self, target: Target) -> bool:
        """Whether a look for this target is a look into this database."""
        return str(target) in (*self.targets, self.server)
