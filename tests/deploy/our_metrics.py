"""Every series that a daemon may export, by name."""

import re

from remediator.telemetry import Metrics


def series_names() -> set[str]:
    """Also what a histogram consists of."""
    found = re.findall(r"^# TYPE (remediator_\w+) (\w+)$", Metrics().exposition().decode(), re.MULTILINE)
    parts = {
        f"{name}{part}"
        for name, kind in found
        if kind == "histogram"
        for part in ("_bucket", "_sum", "_count")
    }
    return {name for name, _ in found} | parts
