"""Whether effects keep to budgets, judged by when they happened and by nothing the daemon says."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple


class Happened(NamedTuple):
    """One effect."""

    at: datetime
    namespace: str


def over_budget(effects: Iterable[Happened], per: timedelta, everywhere: int, in_namespace: int) -> list[str]:
    """Every window of this length that holds more than it may, as a sentence.

    A window is half open: two effects exactly `per` apart are in no common one.
    """
    in_order = sorted(effects)
    by_namespace: dict[str, list[Happened]] = defaultdict(list)
    for each in in_order:
        by_namespace[each.namespace].append(each)
    return [
        *_over("everywhere", in_order, per, everywhere),
        *(
            sentence
            for name, some in by_namespace.items()
            for sentence in _over(f"in {name}", some, per, in_namespace)
        ),
    ]


def _over(where: str, effects: list[Happened], per: timedelta, most: int) -> Iterable[str]:
    for number, first in enumerate(effects):
        within = [each for each in effects[number:] if each.at < first.at + per]
        if len(within) > most:
            yield f"{len(within)} effects {where} in {per} from {first.at.isoformat()}, of at most {most}"
