"""Series are read as promtool reads those of its tests."""

import math
from datetime import timedelta

import pytest

from remediator.trial.series import boundaries, fires, parse_series


@pytest.mark.parametrize(
    ("text", "samples"),
    [
        ("1", (1.0,)),
        ("1 0 2.5", (1.0, 0.0, 2.5)),
        ("1x3", (1.0, 1.0, 1.0, 1.0)),
        ("0+10x3", (0.0, 10.0, 20.0, 30.0)),
        ("10-2.5x2", (10.0, 7.5, 5.0)),
        ("-2+4x2", (-2.0, 2.0, 6.0)),
        ("1 _ 2", (1.0, None, 2.0)),
        ("1x1 _x2 0", (1.0, 1.0, None, None, 0.0)),
        ("1 stale", (1.0, None)),
        ("1e3 Inf -Inf", (1000.0, math.inf, -math.inf)),
    ],
)
def test_the_notation_of_promtool(text: str, samples: tuple[float | None, ...]) -> None:
    assert parse_series(text) == samples


@pytest.mark.parametrize("text", ["", "  ", "one", "1x", "x3", "1+2", "1 2,3", "_3", "1x-3"])
def test_what_is_no_series_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="series"):
        parse_series(text)


def test_a_series_of_more_samples_than_anybody_needs_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 10000"):
        parse_series("1x20000")


def test_an_alert_fires_with_any_number_but_0() -> None:
    assert [fires(each) for each in (1.0, 0.2, -1.0)] == [True, True, True]
    assert [fires(each) for each in (0.0, None, math.nan)] == [False, False, False]


def test_time_goes_on_to_where_a_series_becomes_another() -> None:
    minute = timedelta(minutes=1)
    found = boundaries(parse_series("0.3x2 0.01x30 _x4 1"), minute)
    assert [each // minute for each in found] == [0, 3, 34, 38, 39]
