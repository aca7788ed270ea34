"""Error budgets: what is left, the trend, and what to call it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from remediator.domain.slo import Objective, Point
from remediator.domain.sparkline import sparkline
from remediator.domain.trend import per_day
from remediator.slo.budget import left_of, status_of

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
THREE_NINES = Objective(name="a", objective=0.999, window=timedelta(days=30), source="settings")


def points(values: Sequence[float]) -> list[Point]:
    return [Point(at=NOW + timedelta(days=number), left=value) for number, value in enumerate(values)]


@pytest.mark.parametrize(("errors", "left"), [(0.0, 1.0), (0.0005, 0.5), (0.001, 0.0), (0.003, -2.0)])
def test_what_is_left_is_the_share_that_may_still_go_wrong(errors: float, left: float) -> None:
    assert left_of(errors, THREE_NINES) == pytest.approx(left)


@pytest.mark.parametrize(
    ("values", "slope"),
    [([1.0, 0.9, 0.8], -0.1), ([0.5, 0.5, 0.5], 0.0), ([0.9, 0.8], None), ([], None)],
)
def test_the_trend_is_what_changes_a_day(values: list[float], slope: float | None) -> None:
    assert per_day([(each.at, each.left) for each in points(values)]) == (
        None if slope is None else pytest.approx(slope)
    )


def test_points_of_one_moment_have_no_trend() -> None:
    assert per_day([(NOW, 1.0)] * 3) is None


@pytest.mark.parametrize(
    ("left", "burn", "state"),
    [
        (0.5, 0.2, "met"),
        (0.5, 14.4, "burning"),
        (0.5, None, "met"),
        (0.0, 0.0, "used_up"),
        (-0.5, 0.0, "used_up"),
        (None, 3.0, "unknown"),
        (float("nan"), 0.0, "unknown"),
    ],
)
def test_the_state_is_what_is_left_before_how_fast_it_goes(
    left: float | None, burn: float | None, state: str
) -> None:
    assert status_of(THREE_NINES, left, burn).state == state


def test_the_days_left_follow_from_the_trend_only_when_it_falls() -> None:
    assert status_of(THREE_NINES, 0.5, 1.0, points([0.7, 0.6, 0.5])).days_left == pytest.approx(5.0)
    assert status_of(THREE_NINES, 0.5, 1.0, points([0.5, 0.6, 0.7])).days_left is None
    assert status_of(THREE_NINES, -0.1, 1.0, points([0.1, 0.0, -0.1])).days_left is None


def test_no_traffic_at_some_moment_is_no_point_of_the_history() -> None:
    status = status_of(THREE_NINES, 0.5, 1.0, points([0.7, float("nan"), 0.6, 0.5]))
    assert [each.left for each in status.history] == [0.7, 0.6, 0.5]


@pytest.mark.parametrize(
    ("values", "line"),
    [([0, 1, 2, 3, 4, 5, 6, 7], "▁▂▃▄▅▆▇█"), ([1, None, 1], "▁·▁"), ([], ""), ([float("inf"), 2.0], "·▁")],
)
def test_numbers_become_a_line(values: list[float | None], line: str) -> None:
    assert sparkline(values) == line


def test_what_is_beyond_the_bounds_stands_at_them() -> None:
    assert sparkline([-3.0, 0.5, 9.0], 0.0, 1.0) == "▁▅█"
