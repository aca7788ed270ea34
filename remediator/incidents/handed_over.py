"""The procedures that a run left to people, as they stood in the journal when it ended."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from remediator.domain.handover import Handover, script
from remediator.errors import Permanent

HANDOVER = "handover"
"""The kind of its line in the journal."""


def handovers_of(
    journal: Iterable[Mapping[str, Any]], only_run: int | None = None
) -> list[tuple[int, Handover]]:
    """Each with its run, in order. Raises Permanent when one is not what this program understands."""
    lines = [each for each in journal if each["kind"] == HANDOVER and only_run in (None, each["run_id"])]
    try:
        return [(each["run_id"], Handover.model_validate(each["details"])) for each in lines]
    except ValidationError as reason:
        raise Permanent(
            f"the daemon's handover is not understood ({reason.errors()[0]['msg']}): "
            "use the remediator of the daemon's version, or --output json"
        ) from reason


def as_scripts(journal: Iterable[Mapping[str, Any]], only_run: int | None = None) -> str:
    """All of them as a shell reads them; empty when nothing was handed over ready-made.

    Never wrapped: a line that is broken in two is another command.
    """
    return "".join(
        f"\n# Handed over by run {run_id}\n{script(each)}" for run_id, each in handovers_of(journal, only_run)
    )
