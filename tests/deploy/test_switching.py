"""From one overlay to another, and back: `kubectl apply` replaces what has the same name, and deletes nothing."""

import itertools

import pytest

from tests.deploy.manifests import LEVELS, OVERLAYS, ROOT, Manifest, namespace_of, overlay

OPERATING = (ROOT / "docs" / "operating.md").read_text()
HARMLESS = {"PodDisruptionBudget"}
"""Of the overlay ha: of a single pod it lets that one go."""


def name_of(each: Manifest) -> tuple[str, str, str]:
    return each["kind"], each["metadata"].get("namespace", ""), each["metadata"]["name"]


def left_of(before: tuple[Manifest, ...], after: tuple[Manifest, ...]) -> set[tuple[str, str, str]]:
    """What was applied before and is not replaced by what is applied now."""
    return {name_of(each) for each in before} - {name_of(each) for each in after}


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(OVERLAYS, 2)])
def test_of_the_overlay_before_nothing_stays_in_force(before: str, after: str) -> None:
    left = left_of(overlay(before), overlay(after))
    assert {kind for kind, _, _ in left} <= (HARMLESS if before == "ha" else set())


@pytest.mark.parametrize(("before", "after"), [*itertools.permutations(LEVELS, 2)])
def test_what_a_namespace_is_given_is_replaced_but_for_what_the_guide_deletes(
    before: str, after: str
) -> None:
    left = left_of(namespace_of(before), namespace_of(after))
    assert left == (
        {("Role", "", "remediator-act"), ("RoleBinding", "", "remediator-act")}
        if after == "observe"
        else set()
    )
    assert "\nkubectl -n shop delete rolebinding remediator-act\n" in OPERATING
