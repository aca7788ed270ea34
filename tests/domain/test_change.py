"""What names a version, and what names a template exactly."""

import json
from pathlib import Path
from typing import Any

from remediator.domain.change import exact_hash, revision_hash


def template(image: str = "app:v1", **metadata: Any) -> dict[str, Any]:
    return {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": image}]}}


STAMP = {"kubectl.kubernetes.io/restartedAt": "2026-01-05T12:00:00Z"}


def test_a_restart_stamp_is_not_a_version_but_another_template() -> None:
    plain, stamped = template(), template(annotations=STAMP)
    assert revision_hash(plain) == revision_hash(stamped)
    assert exact_hash(plain) != exact_hash(stamped)


def test_pod_template_hash_counts_for_neither() -> None:
    plain = template(labels={"app": "api"})
    of_replica_set = template(labels={"app": "api", "pod-template-hash": "abc"})
    assert revision_hash(plain) == revision_hash(of_replica_set)
    assert exact_hash(plain) == exact_hash(of_replica_set)


def test_an_image_an_annotation_or_a_label_is_another_version() -> None:
    hashes = {
        revision_hash(template()),
        revision_hash(template("app:v2")),
        revision_hash(template(annotations={"checksum/config": "1"})),
        revision_hash(template(labels={"tier": "x"})),
    }
    assert len(hashes) == 4


def test_a_creation_timestamp_of_null_is_no_difference() -> None:
    assert exact_hash(template(creationTimestamp=None)) == exact_hash(template())


def test_the_recorded_rollback_ends_in_the_template_it_came_from() -> None:
    recorded = json.loads(Path("tests/recordings/deployment-rollout.json").read_text())
    hashes = []
    for exchange in recorded["exchanges"]:
        body = exchange["response"]["body"]
        if isinstance(body, dict) and body.get("kind") == "Deployment":
            hashes.append(revision_hash(body["spec"]["template"]))
    assert len(set(hashes)) >= 3
    assert hashes[-1] in hashes[:-1]
