"""What a digest is made of: sections of lines, each fine, worth a look, or not known."""

from datetime import datetime
from typing import Literal

from pydantic import Field, computed_field

from remediator.domain.value import JsonObject, Value

Period = Literal["daily", "weekly"]
State = Literal["fine", "look", "unknown"]

_MOST = 20


class Line(Value):
    """One thing that was looked at. What could not be seen is unknown, and never fine."""

    state: State
    text: str


def fine(text: str) -> Line:
    return Line(state="fine", text=text)


def look(text: str) -> Line:
    """Worth a person's look."""
    return Line(state="look", text=text)


def unknown(text: str) -> Line:
    return Line(state="unknown", text=text)


class Section(Value):
    """One section as it was filled in."""

    name: str
    title: str
    lines: tuple[Line, ...]
    details: JsonObject = Field(default_factory=dict)
    """For programs: the numbers behind the lines."""

    @computed_field  # type: ignore[prop-decorator]
    @property
    def state(self) -> State:
        """That of the line that matters most; without any line nothing is known."""
        states = {each.state for each in self.lines}
        return "look" if "look" in states else "fine" if states == {"fine"} else "unknown"


class Digest(Value):
    """All sections of one period."""

    period: Period
    begin: datetime
    end: datetime
    sections: tuple[Section, ...]


class Found(Value):
    """What a section's function answers."""

    lines: tuple[Line, ...]
    details: JsonObject = Field(default_factory=dict)

    def shortened(self) -> tuple[Line, ...]:
        """What matters first, and of many lines so many that people read them; none of another state stands for it."""
        ranked = sorted(self.lines, key=lambda each: ("look", "unknown", "fine").index(each.state))
        left = ranked[_MOST:]
        if not left:
            return tuple(ranked)
        return (*ranked[:_MOST], Line(state=left[0].state, text=f"and {len(left)} more"))
