"""The account of the daemon in an emulated cluster: what deploy/ grants it and nothing else, as in a real one."""

from collections.abc import Container

from remediator.domain.own_rights import NOWHERE_GRANTED
from remediator.domain.rights import EVERYWHERE, IN_A_NAMESPACE, Needed
from remediator.sandbox.kubernetes import AccessRule, Account


class _WhereGranted(Container[str]):
    """Every namespace but the one in which nothing is granted, so that a test may make any."""

    def __contains__(self, namespace: object) -> bool:
        return namespace not in ("", "*", NOWHERE_GRANTED)


def least_account(user: str, token: str) -> Account:
    """All declared rights, those inside of namespaces in every one that a test or trial makes."""
    inside = tuple(_rule(each, _WhereGranted()) for each in IN_A_NAMESPACE)
    return Account(user, token, rules=(*inside, *(_rule(each, ("*",)) for each in EVERYWHERE)))


def _rule(needed: Needed, namespaces: Container[str]) -> AccessRule:
    verb, group, resource = needed.right
    return AccessRule((verb,), (group,), (resource,), namespaces)
