"""Bytes as people read them."""

import pytest

from remediator.domain.size import format_bytes


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 kB"),
        (1536, "1.5 kB"),
        (200 * 1024**2, "200 MB"),
        (3 * 1024**3, "3.0 GB"),
        (5000 * 1024**5, "5000 PB"),
    ],
)
def test_a_unit_is_1024_of_the_one_before(size: int, text: str) -> None:
    assert format_bytes(size) == text
