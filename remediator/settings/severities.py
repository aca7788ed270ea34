"""The section `severity_map` of remediator.yml: how urgent alerts are."""

from collections.abc import Iterator

from pydantic import Field, field_validator

from remediator.domain.matcher import MatcherError, parse_matchers
from remediator.domain.severity import Severity, SeverityLine
from remediator.settings.sections import Section


class SeverityEntry(Section):
    """Alerts of one severity. Entries are asked in order, before what the usual words mean."""

    match: tuple[str, ...] = Field(min_length=1, max_length=100)
    """Lines of matchers as in a rule, of which one has to match."""
    severity: Severity

    @field_validator("match")
    @classmethod
    def _matchers(cls, match: tuple[str, ...]) -> tuple[str, ...]:
        for each in match:
            try:
                parse_matchers(each)
            except MatcherError as reason:
                raise ValueError(f"{each}: {reason.sentence}") from None
        return match

    @property
    def lines(self) -> Iterator[SeverityLine]:
        """One for each alternative."""
        return (SeverityLine(each, self.severity) for each in self.match)
