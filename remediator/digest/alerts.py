"""Which alerts began in the period, beside the period before, and what was sent that could not be read."""

from remediator.digest.section import Found, Line, fine, look
from remediator.digest.sources import Sources
from remediator.store import alert_counts
from remediator.store.alert_counts import AlertCount


async def fill(sources: Sources) -> Found:
    async with sources.database.connection() as connection:
        every = await alert_counts.by_name(connection, sources.stretch.length)
        unread = await alert_counts.quarantined(connection, sources.stretch.length)
    counts = [each for each in every if each.alertname != sources.watchdog]
    lines = [_line(each) for each in counts]
    if unread:
        lines.append(look(f"{unread} alerts could not be read and are in quarantine"))
    return Found(
        lines=tuple(lines) or (fine("no alert began"),),
        details={"alerts": [each.to_json() for each in counts], "quarantined": unread},
    )


def _line(count: AlertCount) -> Line:
    still = f", {count.open} open" if count.open else ""
    said = f"{count.alertname}: {count.began}{still} (before: {count.began_before})"
    return look(said) if count.open or count.began > count.began_before else fine(said)
