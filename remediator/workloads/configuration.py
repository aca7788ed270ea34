"""What is known of the configuration a version would run with, and what cannot be observed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from re import compile as expression

from remediator.domain.history import ConfigStretch, Tenure
from remediator.domain.value import JsonObject
from remediator.workloads.config_maps import mentioned_config_maps, referenced_config_maps
from remediator.workloads.fields import at
from remediator.workloads.secrets import mentioned_secrets

_CHECKSUM = "checksum/"
"""Prefix of template annotations by which Helm charts make a changed configuration a new version."""

_NAMED_BY_CONTENT = expression(r".+-[2456789bcdfghkmt]{10}")
"""Names of generated ConfigMaps and Secrets: their end is a hash of what they hold (kustomize's hasher.go)."""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What ConfigMaps hold now and held before."""

    present: Mapping[str, str | None] = field(default_factory=dict)
    """By name: content_hash of each that a version mentions; None when it does not exist."""
    stretches: Sequence[ConfigStretch] = ()
    """What our memory saw of them."""

    def missing(self, template: JsonObject) -> list[str]:
        """ConfigMaps the template cannot start without and that do not exist."""
        return [each for each in sorted(referenced_config_maps(template)) if self.present.get(each) is None]

    def doubts(
        self, template: JsonObject, current: JsonObject, tenures: Sequence[Tenure], soak: timedelta
    ) -> tuple[str, ...]:
        """What could not be observed of the configuration this template would run with, a clause each.

        `current` is the template to be replaced, `tenures` are the version's. A ConfigMap is as it was if
        the version ran for `soak` with what it holds now: a release often changes its ConfigMap some moments
        before its template, so that having been there at the end of a version's time proves nothing.
        """
        return tuple(self._doubts(template, current, tenures, soak))

    def _doubts(
        self, template: JsonObject, current: JsonObject, tenures: Sequence[Tenure], soak: timedelta
    ) -> Iterator[str]:
        for name in sorted(mentioned_config_maps(template)):
            now = self.present.get(name)
            if now is None or _NAMED_BY_CONTENT.fullmatch(name):
                continue
            seen = [each for each in self.stretches if each.name == name and _meets(each, tenures)]
            if not seen:
                yield f"what ConfigMap {name} held when this version ran"
            elif not any(each.hash == now and _together(each, tenures) >= soak for each in seen):
                yield (
                    f"whether it works with what ConfigMap {name} holds now, "
                    "which has changed since this version ran"
                )
        for name in sorted(_differing_checksums(template, current)):
            yield (
                f"the configuration behind {name}: it changed with the release, "
                "and going back to this template does not bring it back"
            )
        secrets = [
            each for each in sorted(mentioned_secrets(template)) if not _NAMED_BY_CONTENT.fullmatch(each)
        ]
        if secrets:
            one = "Secret" if len(secrets) == 1 else "Secrets"
            yield f"what {one} {', '.join(secrets)} held and will hold: Secrets are never read"


def _differing_checksums(template: JsonObject, current: JsonObject) -> set[str]:
    before, after = (at(each, "metadata", "annotations") or {} for each in (template, current))
    names = {each for each in (*before, *after) if each.startswith(_CHECKSUM)}
    return {each for each in names if before.get(each) != after.get(each)}


def _meets(stretch: ConfigStretch, tenures: Sequence[Tenure]) -> bool:
    return any(_overlap(stretch, each) >= timedelta(0) for each in tenures)


def _together(stretch: ConfigStretch, tenures: Sequence[Tenure]) -> timedelta:
    return max((_overlap(stretch, each) for each in tenures), default=timedelta(0))


def _overlap(stretch: ConfigStretch, tenure: Tenure) -> timedelta:
    """How long both lasted at the same time; negative when they did not meet."""
    until: datetime = tenure.ended_at or tenure.last_seen_at
    if stretch.ended_at is not None:
        until = min(until, stretch.ended_at)
    return until - max(stretch.began_at, tenure.began_at)
