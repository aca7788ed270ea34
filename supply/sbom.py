"""The bill of materials of the image's Python part, as CycloneDX 1.6: the same bytes for the same lock.

python -m supply.sbom > remediator.cdx.json
"""

import json
import tomllib
from typing import Any
from uuid import UUID, uuid5

from supply.licences import licence_of
from supply.lock import LOCK, OURSELVES, ROOT, Locked, read

_NAMESPACE = UUID("6d3f4d2c-9d5b-4f0e-8f43-0d6a4c9d2b1e")
"""Of our serial numbers; any, once chosen."""


def bill() -> dict[str, Any]:
    """The document. Raises NotAllowed for a licence that is not known."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = read()
    itself = f"pkg:pypi/{OURSELVES}@{project['version']}"
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid5(_NAMESPACE, project['version'] + LOCK.read_text())}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": itself,
                "name": OURSELVES,
                "version": project["version"],
                "purl": itself,
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": [_component(each) for each in locked],
        "dependencies": [
            {"ref": ref, "dependsOn": sorted(each.purl for each in locked if name in each.via)}
            for name, ref in [(OURSELVES, itself), *((each.name, each.purl) for each in locked)]
        ],
    }


def _component(locked: Locked) -> dict[str, Any]:
    """One dependency; the hashes are those of every file that may be installed for it."""
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": locked.purl,
        "name": locked.name,
        "version": locked.version,
        "purl": locked.purl,
        "licenses": [{"expression": licence_of(locked)}],
        "hashes": [{"alg": "SHA-256", "content": each} for each in locked.hashes],
    }
    if locked.marker:
        component["properties"] = [{"name": "python:marker", "value": locked.marker}]
    return component


if __name__ == "__main__":
    print(json.dumps(bill(), indent=2))
