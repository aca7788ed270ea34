"""The admission policies of deploy/, evaluated here: what the API server would say to a write of the executor.

The expressions are read by cel-python, another implementation than the API server's. What only Kubernetes adds to
the language is added here. The same cases are put to a real API server by tests/cluster/test_admission_on_a_cluster.py.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any

import celpy
import re2
from celpy import celtypes
from celpy.adapter import json_to_cel

from tests.deploy.manifests import Manifest, file

WRITES = "admission/writes/policy.yaml"
RESTART_ONLY = "admission/restart-only/policy.yaml"
LOOK_ONLY = "admission/look-only/policy.yaml"
ROLLBACK_TOO = "admission/rollback-too/policy.yaml"
EXECUTOR = "system:serviceaccount:remediator:remediator-executor"


class Policy:
    """One ValidatingAdmissionPolicy."""

    def __init__(self, path: str) -> None:
        policy, binding = file(path)
        assert binding["spec"]["policyName"] == policy["metadata"]["name"]
        assert binding["spec"]["validationActions"][0] == "Deny"
        spec: Manifest = policy["spec"]
        self.conditions = [_program(each["expression"]) for each in spec["matchConditions"]]
        self.variables = [(each["name"], _program(each["expression"])) for each in spec.get("variables", ())]
        self.validations = [(_program(each["expression"]), each["message"]) for each in spec["validations"]]

    def refusals(self, request: Manifest, old: Manifest | None, new: Manifest | None) -> list[str]:
        """The messages of what does not hold; none for a request the policy is not about."""
        known: dict[str, Any] = {
            "request": json_to_cel(request),
            "object": json_to_cel(new),
            "oldObject": json_to_cel(old),
            "variables": celtypes.MapType(),
        }
        if not all(each.evaluate(known) for each in self.conditions):
            return []
        for name, program in self.variables:
            known["variables"][celtypes.StringType(name)] = program.evaluate(known)
        return [message for program, message in self.validations if not program.evaluate(known)]


@cache
def policies(paths: tuple[str, ...]) -> tuple[Policy, ...]:
    """Compiled once: that is what takes the time."""
    return tuple(Policy(each) for each in paths)


def refused(
    request: Manifest, old: Manifest | None, new: Manifest | None, paths: Sequence[str] = (WRITES,)
) -> list[str]:
    """Everything these policies hold against a request."""
    return [said for each in policies(tuple(paths)) for said in each.refusals(request, old, new)]


def _program(expression: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(expression), functions={"find": _find})


def _find(text: celtypes.StringType, pattern: celtypes.StringType) -> celtypes.StringType:
    """Kubernetes' own addition to CEL: the first match, or an empty text."""
    found = re2.search(str(pattern), str(text))
    return celtypes.StringType(found.group() if found else "")
