"""Discovery documents, generated from the table of resources."""

from collections.abc import Set

from remediator.sandbox.kubernetes.not_emulated import NOT_EMULATED, NOT_EMULATED_PATHS
from remediator.sandbox.kubernetes.resources import RESOURCES, VERSIONS, Resource, Subresource
from remediator.sandbox.kubernetes.status import Json, no_such_route, not_emulated

VERSION: Json = {
    "major": "1",
    "minor": "33",
    "emulationMajor": "1",
    "emulationMinor": "33",
    "minCompatibilityMajor": "1",
    "minCompatibilityMinor": "32",
    "gitVersion": "v1.33.13",
    "gitCommit": "2df3632e823a813f64218dfc6f5c2e70d28ecdf0",
    "gitTreeState": "clean",
    "buildDate": "2026-11-23T07:04:11Z",
    "goVersion": "go1.24.4",
    "compiler": "gc",
    "platform": "linux/amd64",
}
"""What /version answers: the release the emulator is held to."""


def document(path: str, host: str, served: Set[str]) -> Json | None:
    """The document at a discovery path; None if the path is none of discovery's.

    served: the groups this cluster has.

    Raises:
        ApiError: 404, a version that is not served of a group that is; 501, what a real server has there.
    """
    parts = [part for part in path.split("/") if part]
    if parts == ["version"]:
        return VERSION
    if parts == ["api"]:
        addresses = [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": addresses}
    if parts == ["apis"]:
        groups = [_group(group) for group in VERSIONS if group and group in served]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    if not parts or parts[0] in NOT_EMULATED_PATHS:
        raise not_emulated(f"the path {path}")
    if len(parts) > 1 and parts[0] == "apis" and parts[1] not in served:
        if parts[1] in NOT_EMULATED:
            raise not_emulated(f"the API group {parts[1]}")
        return None
    if len(parts) == 2 and parts[0] == "apis":
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(parts[1])}
    return _resources(parts)


def _resources(parts: list[str]) -> Json | None:
    if len(parts) == 2 and parts[0] == "api":
        group, version = "", parts[1]
    elif len(parts) == 3 and parts[0] == "apis":
        group, version = parts[1], parts[2]
    else:
        return None
    if VERSIONS[group] != version:
        raise no_such_route()
    served = [resource for resource in RESOURCES if resource.group == group]
    entries = [entry for resource in served for entry in _entries(resource)]
    body = {
        "groupVersion": f"{group}/{version}" if group else version,
        "resources": sorted(entries, key=lambda entry: str(entry["name"])),
    }
    shown = {"kind": "APIResourceList"}
    return {**shown, **({"apiVersion": "v1"} if group else {}), **body}


def _group(group: str) -> Json:
    version = {"groupVersion": f"{group}/{VERSIONS[group]}", "version": VERSIONS[group]}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _entries(resource: Resource) -> list[Json]:
    entry: Json = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    if resource.short_names:
        entry["shortNames"] = list(resource.short_names)
    if resource.categories:
        entry["categories"] = list(resource.categories)
    return [entry, *(_subresource(resource, sub) for sub in resource.subresources)]


def _subresource(resource: Resource, sub: Subresource) -> Json:
    entry: Json = {
        "name": f"{resource.plural}/{sub.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": sub.kind,
        "verbs": list(sub.verbs),
    }
    if sub.version:
        entry = {**entry, "group": sub.group, "version": sub.version}
    return entry
