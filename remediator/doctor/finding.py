"""What a check answers: what was seen and, unless all is well, what to do."""

from typing import Literal

from remediator.domain.value import Value

Level = Literal["ok", "warning", "failed", "unknown"]
"""`unknown` is what could not be checked: neither well nor ill."""


class Finding(Value):
    """One sentence of one check."""

    level: Level
    saw: str
    do: str | None = None
    """What to do; None when there is nothing to do."""


class Examined(Value):
    """A check and all that it found."""

    check: str
    findings: tuple[Finding, ...]


def ok(saw: str) -> Finding:
    """It can work."""
    return Finding(level="ok", saw=saw)


def warning(saw: str, do: str) -> Finding:
    """It can work, but not as well as it should, or not safely."""
    return Finding(level="warning", saw=saw, do=do)


def failed(saw: str, do: str) -> Finding:
    """It cannot work until somebody does this."""
    return Finding(level="failed", saw=saw, do=do)


def unknown(saw: str, do: str) -> Finding:
    """It could not be checked, and this would let it be."""
    return Finding(level="unknown", saw=saw, do=do)


def some(names: tuple[str, ...] | list[str], most: int = 4) -> str:
    """The first few of them, and how many there are beside."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def counted(number: int, thing: str) -> str:
    """`1 rule`, `2 rules`."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"
