"""Whether a daemon may do more in a cluster than it declares, and the Roles that let it do just that. Pure."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from remediator.domain.belonging import IDENTITY
from remediator.domain.rights import EVERYWHERE, IN_A_NAMESPACE, Right

NOWHERE_GRANTED = IDENTITY
"""A namespace in which nothing is ever granted: whatever may be done there may be done everywhere."""

_OF_EVERYBODY = frozenset(
    {
        Right("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
        Right("create", "authorization.k8s.io", "selfsubjectrulesreviews"),
        Right("create", "authentication.k8s.io", "selfsubjectreviews"),
        *(Right(verb, "certificates.k8s.io", "clustertrustbundles") for verb in ("get", "list", "watch")),
    }
)
"""system:basic-user, which Kubernetes binds to everybody it knows, and system:cluster-trust-bundle-discovery, which it
binds to every ServiceAccount where there are trust bundles."""
_EVERYWHERE = frozenset(each.right for each in EVERYWHERE) | _OF_EVERYBODY
_IN_A_NAMESPACE = frozenset(each.right for each in IN_A_NAMESPACE) | _EVERYWHERE
_MOST_NAMED = 5


class Held(NamedTuple):
    """A right as a rule grants it; `*` stands for everything."""

    right: Right
    names: tuple[str, ...] = ()
    """The only objects it is granted on; empty for all."""

    def __str__(self) -> str:
        return f"{self.right} {', '.join(self.names)}".rstrip()


def beyond(held: Iterable[Held], namespace: str, of_everybody: Collection[str] = ()) -> list[Held]:
    """What of this nothing here declares for the namespace, sorted; a part of what is declared is not more.

    `of_everybody` are rights that this cluster gives to all, as `kubectl auth can-i` takes them.
    """
    declared = _EVERYWHERE if namespace == NOWHERE_GRANTED else _IN_A_NAMESPACE
    return sorted(
        {each for each in held if each.right not in declared and str(each.right) not in of_everybody}
    )


def told(more: Iterable[Held], namespace: str) -> str:
    """What a person has to know of rights that are too many, and how to mend it."""
    named = [str(each) for each in more]
    rest = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
    where = "everywhere" if namespace == NOWHERE_GRANTED else f"in namespace {namespace}"
    return (
        f"it may {', '.join(named[:_MOST_NAMED])}{rest} {where}, which nothing here needs, and with more rights than "
        "declared it changes nothing: take the binding away that grants this, and apply what `remediator rbac` "
        "prints; what this cluster gives to everybody stands under kubernetes.of_everybody"
    )
