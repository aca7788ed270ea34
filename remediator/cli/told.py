"""The API's answers about an incident, told as a timeline, or as the reasons of one of its runs."""

from collections.abc import Mapping, Sequence
from typing import Any

from remediator.errors import Permanent
from remediator.incidents.explained import Section
from remediator.incidents.explained import explained as explained_run
from remediator.incidents.handed_over import as_scripts
from remediator.incidents.record import Record
from remediator.incidents.timeline import timeline
from remediator.incidents.timeline_text import as_text


def told(incident: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], only_run: int | None = None) -> str:
    """The timeline as text, and below it what was handed over.

    Raises Permanent when the answers are not what this program understands.
    """
    text = as_text(timeline(_record(incident, runs), only_run))
    return text + as_scripts(incident["journal"], only_run)


def explained(incident: Mapping[str, Any], run: Mapping[str, Any], run_id: int) -> tuple[Section, ...]:
    """Why the run did what it did. Raises Permanent when the answers are not what this program understands."""
    return explained_run(_record(incident, [run]), run_id)


def _record(incident: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Record:
    try:
        return Record.of(incident, runs)
    except (KeyError, TypeError, ValueError) as reason:
        raise Permanent(
            f"the daemon's answer is not understood ({type(reason).__name__}: {reason}): "
            "use the remediator of the daemon's version, or --output json"
        ) from reason
