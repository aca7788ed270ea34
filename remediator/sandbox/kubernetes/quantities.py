"""Quantities of resources: `500m`, `2`, `1k`, `64Mi`."""

from decimal import Decimal

_SUFFIXES = {
    "": Decimal(1),
    "n": Decimal("1e-9"),
    "u": Decimal("1e-6"),
    "m": Decimal("1e-3"),
    **{letter: Decimal(1000) ** power for power, letter in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
}


def quantity(text: str) -> Decimal:
    """How much it is, in whole units (cores, bytes).

    Raises:
        KeyError: the suffix is none of Kubernetes' (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity).
    """
    number = text.rstrip("numkKMGTPEi")
    return Decimal(number) * _SUFFIXES[text[len(number) :]]
