"""Reviews: who a token is, and what somebody may do. A POST that is answered, and of which nothing is kept."""

from collections.abc import Sequence

from remediator.sandbox.kubernetes.access import API_AUDIENCE, EVERYTHING, Access, AccessRule, Account
from remediator.sandbox.kubernetes.resources import Resource
from remediator.sandbox.kubernetes.status import ApiError, Cause, Json, invalid

_ACCESS = "authorization.k8s.io"


def review(access: Access, account: Account, resource: Resource, body: Json) -> Json:
    """The answer to a review by `account`, of a token, of somebody's access, or of its own.

    Raises:
        ApiError: 400 or 422, it asks about nothing.
    """
    spec = body.get("spec") or {}
    if resource.kind == "SelfSubjectRulesReview":
        status, spec = _rules(account, spec), {}
    elif resource.kind == "TokenReview":
        status = _token(access, spec)
    elif resource.kind == "SubjectAccessReview":
        if not spec.get("user") and not spec.get("groups"):
            message = 'Invalid value: "": at least one of user or group must be specified'
            raise invalid(_ACCESS, "", "", [Cause("FieldValueInvalid", message, "spec.user")])
        status = _access(access.user(spec.get("user", "")), spec)
    else:
        status = _access(account, spec)
    return {
        "kind": resource.kind,
        "apiVersion": resource.api_version,
        "metadata": {"creationTimestamp": None},
        "spec": spec,
        "status": status,
    }


_OPEN = ("/healthz", "/livez", "/readyz", "/version", "/version/")
_DISCOVERY = ("/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz")
_ISSUER = ("/.well-known/openid-configuration", "/.well-known/openid-configuration/")
_PATHS = (_OPEN, (*_DISCOVERY, "/version", "/version/"), (*_ISSUER, "/openid/v1/jwks", "/openid/v1/jwks/"))
"""What ServiceAccounts may get that is no resource, as a real server lists it."""


def _rules(account: Account, spec: Json) -> Json:
    namespace = spec.get("namespace", "")
    if not namespace:
        raise ApiError(400, "no namespace on request", "BadRequest")
    return {
        "resourceRules": [_listed(each) for each in account.rules_in(namespace)],
        "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": list(paths)} for paths in _PATHS],
        "incomplete": False,
    }


def _listed(rule: AccessRule) -> Json:
    listed = {"verbs": list(rule.verbs), "apiGroups": list(rule.groups), "resources": list(rule.resources)}
    return {**listed, "resourceNames": list(rule.names)} if rule.names else listed


def _token(access: Access, spec: Json) -> Json:
    token = spec.get("token", "")
    if not token:
        raise ApiError(400, "token is required for TokenReview in authentication", "BadRequest")
    account = access.by_token(token)
    if account is None:
        return {"user": {}, "error": "invalid bearer token"}
    wanted = spec.get("audiences") or [API_AUDIENCE]
    fitting = [each for each in account.audiences if each in wanted]
    if not fitting:
        own, others = _quoted(account.audiences), _quoted(wanted)
        error = f"[invalid bearer token, token audiences {own} is invalid for the target audiences {others}]"
        return {"user": {}, "error": error}
    user: Json = {"username": account.user}
    if account.uid:
        user["uid"] = account.uid
    user["groups"] = list(account.groups)
    if account.extra:
        user["extra"] = {key: list(values) for key, values in account.extra.items()}
    return {"authenticated": True, "user": user, "audiences": fitting}


def _quoted(audiences: Sequence[str]) -> str:
    return "[" + " ".join(f'"{each}"' for each in audiences) + "]"


def _access(account: Account, spec: Json) -> Json:
    wanted, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (wanted is None) == (path is None):
        message = 'Invalid value: "null": exactly one of nonResourceAttributes or resourceAttributes must be specified'
        raise invalid(_ACCESS, "", "", [Cause("FieldValueInvalid", message, "spec.resourceAttributes")])
    allowed = account.may_read_path((path or {}).get("path", "")) if path else _may(account, wanted or {})
    status: Json = {"allowed": allowed}
    if allowed and EVERYTHING in account.rules:
        status["reason"] = "RBAC: allowed by cluster-admin"
    return status


def _may(account: Account, wanted: Json) -> bool:
    subresource = wanted.get("subresource", "")
    resource = wanted.get("resource", "") + (f"/{subresource}" if subresource else "")
    return account.may(
        wanted.get("verb", ""),
        wanted.get("group", ""),
        resource,
        wanted.get("namespace", ""),
        wanted.get("name", ""),
    )
