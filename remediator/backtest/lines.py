"""A history as JSON lines: a first line with the window, then one line for each thing that happened.

What is written is what is read; the keys are Alertmanager's where it has one.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from remediator.backtest.past import Past, PastAlert, PastRollout, PastWrite
from remediator.domain.duration import Duration
from remediator.domain.target import Target
from remediator.errors import Permanent


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class _Window(_Line):
    kind: Literal["history"] = "history"
    version: Literal[1] = 1
    since: AwareDatetime = Field(alias="from")
    until: AwareDatetime = Field(alias="to")
    known_since: AwareDatetime | None = None
    notes: tuple[str, ...] = ()


class _Alert(_Line):
    kind: Literal["alert"] = "alert"
    labels: dict[str, str]
    starts_at: AwareDatetime
    received_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None
    target: str | None = None
    hold: Duration | None = Field(default=None, alias="for")


class _Rollout(_Line):
    kind: Literal["rollout"] = "rollout"
    target: str
    began_at: AwareDatetime
    revision: str = Field(min_length=1)
    title: str = ""
    began_seen: bool = True
    ended_at: AwareDatetime | None = None
    available_seconds: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    uid: str = ""
    unseen: tuple[tuple[AwareDatetime, AwareDatetime], ...] = ()


class _Write(_Line):
    kind: Literal["write"] = "write"
    target: str
    at: AwareDatetime
    by: str


_ANY: TypeAdapter[_Window | _Alert | _Rollout | _Write] = TypeAdapter(
    Annotated[_Window | _Alert | _Rollout | _Write, Field(discriminator="kind")]
)


def read_history(name: str, lines: Iterable[bytes]) -> Past:
    """The history that these lines tell. Raises Permanent, which names the first line that is wrong."""
    told = ((f"{name}:{number}", raw) for number, raw in enumerate(lines, 1) if raw.strip())
    where, first = next(told, (name, b""))
    window = _read(where, first) if first else None
    if not isinstance(window, _Window):
        raise Permanent(
            f'{where}: the first line is {{"kind": "history", "version": 1, "from": ..., "to": ...}}'
        )
    if window.until <= window.since:
        raise Permanent(f"{where}: the window ends before it begins")
    alerts: list[PastAlert] = []
    rollouts: list[PastRollout] = []
    writes: list[PastWrite] = []
    for where, raw in told:
        match _read(where, raw):
            case _Alert() as line:
                received = line.received_at or line.starts_at
                alerts.append(
                    PastAlert(line.labels, line.starts_at, received, line.ends_at, line.target, line.hold)
                )
            case _Rollout() as line:
                rollouts.append(PastRollout(**line.model_dump(exclude={"kind"})))
            case _Write() as line:
                writes.append(PastWrite(line.target, line.at, line.by))
            case _:
                raise Permanent(f"{where}: a second window; a history has one")
    return Past.of(window.since, window.until, alerts, rollouts, writes, window.known_since, window.notes)


def _read(where: str, raw: bytes) -> _Window | _Alert | _Rollout | _Write:
    try:
        line = _ANY.validate_json(raw)
    except ValidationError as mistakes:
        first = mistakes.errors(include_url=False)[0]
        at = ".".join(str(piece) for piece in first["loc"][1:])
        raise Permanent(f"{where}: {f'{at}: ' if at else ''}{first['msg']}") from None
    wrong = _misordered(line)
    if wrong is not None:
        raise Permanent(f"{where}: {wrong}")
    return line


def _misordered(line: _Window | _Alert | _Rollout | _Write) -> str | None:
    """What is wrong with a line whose every field is in order."""
    if isinstance(line, _Window):
        return None
    if isinstance(line, _Alert) and line.ends_at and line.ends_at < (line.received_at or line.starts_at):
        return "the alert ends before it begins"
    if isinstance(line, _Rollout) and line.ended_at and line.ended_at < line.began_at:
        return "the rollout ends before it begins"
    try:
        if line.target is not None:
            Target.parse(line.target, cluster="")
    except ValueError as reason:
        return str(reason)
    return None


def written(past: Past) -> Iterator[str]:
    """The lines of a history, without their line ends; the same history gives the same lines."""
    yield _written(
        _Window(since=past.since, until=past.until, known_since=past.known_since, notes=past.notes)
    )
    for alert in past.alerts:
        yield _written(
            _Alert(
                labels=dict(sorted(alert.labels.items())),
                starts_at=alert.starts_at,
                received_at=alert.received_at if alert.received_at != alert.starts_at else None,
                ends_at=alert.ends_at,
                target=alert.target,
                hold=alert.hold,
            )
        )
    for rollout in past.rollouts:
        yield _written(_Rollout(**rollout._asdict()))
    for write in past.writes:
        yield _written(_Write(**write._asdict()))


def _written(line: _Line) -> str:
    fields = line.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name, empty in (("uid", ""), ("notes", []), ("unseen", [])):
        if fields.get(name) == empty:
            del fields[name]
    return json.dumps(fields, separators=(",", ":"))
