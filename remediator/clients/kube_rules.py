"""What this process may do in a namespace, by its own account: SelfSubjectRulesReview. Nothing is created by it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from remediator.clients.http import json_document
from remediator.clients.kube_connection import KubeConnection
from remediator.domain.own_rights import Held
from remediator.domain.rights import Right
from remediator.errors import RemediatorError, Retryable

_PATH = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"


@dataclass(frozen=True, slots=True)
class OwnRules:
    """All that was listed."""

    held: frozenset[Held]
    incomplete: str | None
    """Why there may be more, in the API server's words; None when this is all."""


class KubeOwnRules:
    """Asks. Paths that are no resources (/version, discovery) are left out: nothing is changed by them."""

    def __init__(self, connection: KubeConnection, *, deadline: float = 5.0) -> None:
        """`deadline` is in seconds, for each question."""
        self._connection = connection
        self._deadline = deadline

    async def in_namespace(self, namespace: str) -> OwnRules:
        """What holds there, rights in the whole cluster included. Raises Retryable when it is not clearly said."""
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": namespace},
        }
        try:
            answer = await self._connection.call("POST", _PATH, body=review, deadline=self._deadline)
        except RemediatorError as reason:
            raise Retryable(f"Kubernetes did not say what we may do: {reason.sentence}") from reason
        document = json_document(answer.body)
        status = document.get("status") if isinstance(document, dict) else None
        rules = status.get("resourceRules") if isinstance(status, dict) else None
        if answer.status != 201 or not isinstance(status, dict) or not isinstance(rules, list):
            said = document.get("message") if isinstance(document, dict) else answer.excerpt
            raise Retryable(f"Kubernetes answered {answer.status} to what we may do: {said or 'nothing'}")
        incomplete = None if status.get("incomplete") is False else _why(status)
        return OwnRules(frozenset(_held(rules)), incomplete)


def _why(status: Mapping[str, Any]) -> str:
    return str(status.get("evaluationError") or "it does not say why")


def _held(rules: Iterable[Any]) -> Iterable[Held]:
    for rule in rules:
        if not isinstance(rule, Mapping):
            raise Retryable("Kubernetes answered with a rule that cannot be read")
        verbs, groups, resources = (_words(rule, name) for name in ("verbs", "apiGroups", "resources"))
        names = tuple(_words(rule, "resourceNames"))
        for verb, group, resource in product(verbs, groups, resources):
            yield Held(Right(verb, group, resource), names)


def _words(rule: Mapping[str, Any], name: str) -> Sequence[str]:
    """Raises Retryable: what cannot be read may be anything."""
    found = rule.get(name) or []
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise Retryable(f"Kubernetes answered with a rule whose {name} cannot be read")
    return found
