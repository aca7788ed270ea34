"""Who waits for whom, as trees."""

import pytest

from remediator.domain.blocking import blocking_trees


@pytest.mark.parametrize(
    ("blocked_by", "trees"),
    [
        ({}, []),
        ({1: ()}, []),
        ({2: [1]}, [(1, 0, 1), (2, 1, 0)]),
        ({2: [1], 3: [2], 4: [3]}, [(1, 0, 3), (2, 1, 2), (3, 2, 1), (4, 3, 0)]),
        # A queue: everybody waits for those before them as well, and all of them for the same session.
        ({2: [1], 3: [1, 2], 4: [1, 2, 3]}, [(1, 0, 3), (2, 1, 0), (3, 1, 0), (4, 1, 0)]),
        # Who holds up most comes first.
        ({2: [1], 4: [3], 5: [3]}, [(3, 0, 2), (4, 1, 0), (5, 1, 0), (1, 0, 1), (2, 1, 0)]),
        # A prepared transaction has no session, and PostgreSQL says 0.
        ({2: [0]}, [(0, 0, 1), (2, 1, 0)]),
        # A deadlock that is not noticed yet, and somebody who waits for one of the two.
        ({1: [2], 2: [1], 3: [2]}, [(1, 0, 2), (2, 1, 1), (3, 2, 0)]),
        ({1: [1, 2]}, [(2, 0, 1), (1, 1, 0)]),
    ],
)
def test_everybody_stands_once_below_whom_they_wait_for(
    blocked_by: dict[int, list[int]], trees: list[tuple[int, int, int]]
) -> None:
    assert blocking_trees(blocked_by) == trees


def test_a_chain_of_thousands_is_no_recursion() -> None:
    found = blocking_trees({pid: [pid - 1] for pid in range(1, 5001)})
    assert found[0] == (0, 0, 5000)
    assert found[-1] == (5000, 5000, 0)
