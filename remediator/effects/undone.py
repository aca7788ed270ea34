"""Whether what was changed is still there, and who changed it since."""

from remediator.domain.change import Change
from remediator.effects.recovery import Seen


def undone(change: Change, seen: Seen | None) -> str | None:
    """Why the change is not there any more, as a sentence that names who undid it; None while it is.

    A restart of the version that was set is still that version.
    """
    if seen is None:
        return f"{change.target} was deleted after the change"
    if seen.uid != change.uid:
        return f"{change.target} was deleted after the change and made anew under the same name"
    if seen.revision == change.to_revision:
        return None
    who = seen.last_manager or "somebody"
    when = f" at {seen.last_written_at:%H:%M:%S}" if seen.last_written_at is not None else ""
    if seen.revision != change.from_revision:
        return f"{who} changed the template to something else{when}: people or a pipeline are at work"
    return (
        f"{who} put {change.from_title} back{when}, and this daemon does not fight it: revert "
        f"{change.from_title} -> {change.to_title} where {who} takes it from"
    )
