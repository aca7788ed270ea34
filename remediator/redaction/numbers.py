"""Card numbers: sixteen digits are one only if their issuer and their check digit say so."""

import re

_ISSUERS = re.compile(
    r"4[0-9]{12}(?:[0-9]{3})?(?:[0-9]{3})?|5[1-5][0-9]{14}|2(?:2[2-9]|[3-6][0-9]|7[01])[0-9]{13}|3[47][0-9]{13}"
    r"|6(?:011|5[0-9]{2})[0-9]{12}|35[0-9]{14}"
)


def is_card_number(digits: str) -> bool:
    """Whether these digits are a card's, by ISO/IEC 7812: issuer, length and Luhn's check digit."""
    if _ISSUERS.fullmatch(digits) is None:
        return False
    doubled = (int(each) * (2 if place % 2 else 1) for place, each in enumerate(reversed(digits)))
    return sum(each - 9 if each > 9 else each for each in doubled) % 10 == 0
