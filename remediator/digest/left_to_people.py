"""What of the weekly and monthly lists nobody but people can do, and where that begins."""

from remediator.digest.section import Found, fine
from remediator.digest.sources import Sources
from remediator.procedures import rehearse_recovery, update_dependencies

_AUDIT = "every month: audit the rights and what was done: `remediator audit verify`, `remediator doctor`"


async def fill(_: Sources) -> Found:
    weekly, monthly = update_dependencies.PROCEDURE, rehearse_recovery.PROCEDURE
    return Found(
        lines=(
            fine(f"every week: {weekly.title} (procedure {weekly.name})"),
            fine(f"every month: {monthly.title} (procedure {monthly.name})"),
            fine(_AUDIT),
        )
    )
