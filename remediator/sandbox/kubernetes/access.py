"""Who may do what: tokens to accounts, and accounts to rules."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

from remediator.sandbox.kubernetes.request import Call, Route
from remediator.sandbox.kubernetes.status import ApiError, forbidden


@dataclass(frozen=True)
class AccessRule:
    """What a Role or ClusterRole allows; "*" stands for everything.

    `namespaces` says where: ("*",) is a ClusterRoleBinding. `names` limits the rule to objects of those names.
    Subresources are named as in RBAC: "pods/log".
    """

    verbs: Sequence[str]
    groups: Sequence[str]
    resources: Sequence[str]
    namespaces: Container[str] = ("*",)
    names: Sequence[str] = ()

    def allows(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """Whether this rule permits that."""
        return (
            _among(self.verbs, verb)
            and _among(self.groups, group)
            and self._covers(resource)
            and _among(self.namespaces, namespace)
            and (not self.names or name in self.names)
        )

    def _covers(self, resource: str) -> bool:
        subresource = resource.partition("/")[2]
        return _among(self.resources, resource) or bool(subresource and f"*/{subresource}" in self.resources)


def _among(allowed: Container[str], value: str) -> bool:
    return "*" in allowed or value in allowed


EVERYTHING = AccessRule(("*",), ("*",), ("*",))
"""cluster-admin."""

API_AUDIENCE = "https://kubernetes.default.svc.cluster.local"
"""What a token is for that names no other audience: the API server itself."""

OF_EVERYBODY = (
    AccessRule(
        ("create",), ("authorization.k8s.io",), ("selfsubjectaccessreviews", "selfsubjectrulesreviews")
    ),
    AccessRule(("create",), ("authentication.k8s.io",), ("selfsubjectreviews",)),
)
"""What system:basic-user gives every account that is known, as a SelfSubjectRulesReview lists it."""
_DISCOVERY = ("/api", "/apis", "/version", "/openapi")
_HEALTH = ("/healthz", "/livez", "/readyz")


@dataclass(frozen=True)
class Account:
    """A user, the token it shows, and its rules."""

    user: str
    token: str = ""
    groups: Sequence[str] = ("system:authenticated",)
    rules: Sequence[AccessRule] = field(default=())
    uid: str = ""
    extra: Mapping[str, Sequence[str]] = field(default_factory=dict)
    audiences: Sequence[str] = (API_AUDIENCE,)
    """Whom the token is for."""

    @property
    def is_anonymous(self) -> bool:
        """Whether it showed no credentials."""
        return self.user == "system:anonymous"

    def may(self, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
        """Whether the account may do this."""
        rules = self.rules if self.is_anonymous else (*OF_EVERYBODY, *self.rules)
        return any(rule.allows(verb, group, resource, namespace, name) for rule in rules)

    def rules_in(self, namespace: str) -> list[AccessRule]:
        """The rules that hold in a namespace."""
        own = [each for each in self.rules if _among(each.namespaces, namespace)]
        return own if self.is_anonymous else [*OF_EVERYBODY, *own]

    def may_read_path(self, path: str) -> bool:
        """Whether the account may get a path that is no resource."""
        if EVERYTHING in self.rules or path.startswith(_HEALTH) or path == "/version":
            return True
        return not self.is_anonymous and path.startswith(_DISCOVERY)


ANONYMOUS = Account("system:anonymous", groups=("system:unauthenticated",))
"""Whoever shows no credentials; on a real cluster, by default, it may see nothing but version and health."""


def service_account(namespace: str, name: str, token: str, rules: Sequence[AccessRule] = ()) -> Account:
    """A ServiceAccount's account, with the groups Kubernetes gives it."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated")
    return Account(f"system:serviceaccount:{namespace}:{name}", token, groups, rules)


class Access:
    """Authentication and authorization of requests."""

    def __init__(self, *, anonymous_admin: bool = False) -> None:
        rules = (EVERYTHING,) if anonymous_admin else ()
        self._anonymous = Account(ANONYMOUS.user, "", ANONYMOUS.groups, rules)
        self._by_token: dict[str, Account] = {}

    def add(self, account: Account) -> None:
        """Let this account in by its token."""
        self._by_token[account.token] = account

    def remove(self, token: str) -> None:
        """Refuse this token from now on."""
        del self._by_token[token]

    def by_token(self, token: str) -> Account | None:
        """Whose token it is, whoever it is for."""
        return self._by_token.get(token) if token else None

    def user(self, name: str) -> Account:
        """The account of a user; one that nobody was given may do nothing."""
        found = (each for each in self._by_token.values() if each.user == name)
        return next(found, Account(name))

    def account_of(self, call: Call) -> Account:
        """Who makes the request.

        Raises:
            ApiError: 401, the token is unknown.
        """
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        if not scheme:
            return self._anonymous
        account = self.by_token(token.strip())
        if scheme.lower() != "bearer" or account is None or API_AUDIENCE not in account.audiences:
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return account


def refusal(account: Account, verb: str, route: Route) -> ApiError:
    """The 403 of an account that may not do this."""
    place = f'in the namespace "{route.namespace}"' if route.namespace else "at the cluster scope"
    why = f'User "{account.user}" cannot {verb} resource "{route.full_resource}" in API group "{route.group}" {place}'
    error = forbidden(route.group, route.plural, route.name, why)
    error.headers["X-Content-Type-Options"] = "nosniff"
    return error


def authorize(account: Account, call: Call, route: Route | None) -> None:
    """Let the request pass.

    Raises:
        ApiError: 403.
    """
    if route is None:
        verb = call.method.lower()
        if not account.may_read_path(call.path):
            message = f'forbidden: User "{account.user}" cannot {verb} path "{call.path}"'
            headers = {"X-Content-Type-Options": "nosniff"}
            raise ApiError(403, message, "Forbidden", {}, headers)
        return
    if not account.may(route.verb, route.group, route.full_resource, route.namespace, route.name):
        raise refusal(account, route.verb, route)
