"""The API's answers about an incident, told as a timeline."""

from collections.abc import Mapping, Sequence
from typing import Any

from remediator.errors import Permanent
from remediator.incidents.record import Record
from remediator.incidents.timeline import timeline
from remediator.incidents.timeline_text import as_text


def told(incident: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], only_run: int | None = None) -> str:
    """The timeline as text. Raises Permanent when the answers are not what this program understands."""
    try:
        record = Record.of(incident, runs)
    except (KeyError, TypeError, ValueError) as reason:
        raise Permanent(
            f"the daemon's answer is not understood ({type(reason).__name__}: {reason}): "
            "use the remediator of the daemon's version, or --output json"
        ) from reason
    return as_text(timeline(record, only_run))
