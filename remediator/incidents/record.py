"""What is known of one incident, as the API's JSON has it.

Only what a timeline tells is read and the rest is ignored, so that an older program can show what a
newer daemon answers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Incident:
    """The problem."""

    id: int
    title: str
    cluster: str
    target: str | None
    """`kind/namespace/name`; None where no target could be resolved."""
    severity: str
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, content: Json) -> "Incident":
        kind, namespace, name = content["kind"], content["namespace"], content["name"]
        return cls(
            id=content["id"],
            title=content["title"],
            cluster=content["cluster"],
            target=None if kind is None else f"{kind}/{namespace}/{name}",
            severity=content["severity"],
            opened_at=_time(content["opened_at"]),
            closed_at=_time_or_none(content["closed_at"]),
        )


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch of one alert."""

    id: int
    alertname: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    opened_at: datetime
    """When we first received it."""

    @classmethod
    def of(cls, content: Json) -> "Episode":
        return cls(
            id=content["id"],
            alertname=content["alertname"],
            labels=content["labels"],
            annotations=content["annotations"],
            starts_at=_time(content["starts_at"]),
            opened_at=_time(content["opened_at"]),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """One execution of one rule."""

    id: int
    incident_id: int
    rule: str
    mode: str
    target: str
    state: str
    why: str | None
    created_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, content: Json) -> "Run":
        return cls(
            id=content["id"],
            incident_id=content["incident_id"],
            rule=content["rule"],
            mode=content["mode"],
            target=content["target"],
            state=content["state"],
            why=content["why"],
            created_at=_time(content["created_at"]),
            ended_at=_time_or_none(content["ended_at"]),
        )


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the journal."""

    id: int
    at: datetime
    kind: str
    text: str
    details: Json = field(default_factory=dict)
    run_id: int | None = None
    episode_id: int | None = None

    @classmethod
    def of(cls, content: Json) -> "Line":
        return cls(
            id=content["id"],
            at=_time(content["at"]),
            kind=content["kind"],
            text=content["text"],
            details=content["details"],
            run_id=content["run_id"],
            episode_id=content["episode_id"],
        )


@dataclass(frozen=True, slots=True)
class Attempt:
    """One durable record of trying a change."""

    run_id: int
    rung: int
    action_index: int
    action: str
    target: str
    from_title: str
    outcome: str | None

    @classmethod
    def of(cls, content: Json) -> "Attempt":
        target = content["change"]["target"]
        return cls(
            run_id=content["run_id"],
            rung=content["rung"],
            action_index=content["action_index"],
            action=content["action"],
            target=f"{target['kind']}/{target['namespace']}/{target['name']}",
            from_title=content["change"]["from_title"],
            outcome=content["outcome"],
        )

    @property
    def marker(self) -> str:
        """Its identity, as journal lines name it."""
        return f"{self.run_id}/{self.rung}/{self.action_index}"


@dataclass(frozen=True, slots=True)
class Record:
    """Everything a timeline is made of."""

    incident: Incident
    episodes: Sequence[Episode] = ()
    runs: Sequence[Run] = ()
    journal: Sequence[Line] = ()
    attempts: Sequence[Attempt] = ()
    runbooks: Sequence[str] = ()
    """Links of the rules at work here, for people."""

    @classmethod
    def of(cls, incident: Json, runs: Sequence[Json] = ()) -> "Record":
        """From the API's answers about an incident and about some of its runs.

        Raises KeyError, TypeError or ValueError when they are not what the API answers.
        """
        runbooks = [each["rule"].get("runbook") for each in runs]
        return cls(
            incident=Incident.of(incident["incident"]),
            episodes=[Episode.of(each) for each in incident["episodes"]],
            runs=[Run.of(each) for each in incident["runs"]],
            journal=[Line.of(each) for each in incident["journal"]],
            attempts=[Attempt.of(each) for run in runs for each in run["attempts"]],
            runbooks=list(dict.fromkeys(each for each in runbooks if each)),
        )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _time_or_none(text: str | None) -> datetime | None:
    return None if text is None else _time(text)
