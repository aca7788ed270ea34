"""How much a share that was counted a few times is worth."""

from math import sqrt

from remediator.domain.value import Value

_Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: 95 % lie between its negative and it."""


class Share(Value):
    """So many of so many, with the interval in which the true share lies."""

    right: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share that was counted; None where nothing was."""
        return self.right / self.of if self.of else None


def share(right: int, of: int) -> Share:
    """Wilson's score interval at 95 %.

    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
    Statistical Association 22 (1927); for few trials recommended by Brown, Cai and DasGupta, "Interval estimation for a
    binomial proportion", Statistical Science 16 (2001). It stays between 0 and 1, and is wide where little was counted:
    one of one is 0.21 to 1. Of nothing it is 0 to 1.
    """
    if of == 0:
        return Share(right=0, of=0, low=0.0, high=1.0)
    counted, square = right / of, _Z * _Z
    middle = (counted + square / (2 * of)) / (1 + square / of)
    half = _Z / (1 + square / of) * sqrt(counted * (1 - counted) / of + square / (4 * of * of))
    return Share(right=right, of=of, low=max(0.0, middle - half), high=min(1.0, middle + half))
