"""Changes for tables of verdicts."""

from typing import Any

from remediator.domain.change import Scaling, TemplatePatch
from remediator.domain.target import Target

API = Target(cluster="prod", kind="deployment", namespace="shop", name="api")


def template(image: str, **spec: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "app", "image": image}], **spec}}


def a_scaling(before: int, after: int, action: str = "scale", **fields: Any) -> Scaling:
    return Scaling(
        **{
            "action": action,
            "target": API,
            "uid": "u1",
            "from_replicas": before,
            "to_replicas": after,
            "from_template": {},
            "from_title": f"{before} replicas",
            "to_title": f"{after} replicas",
            "summary": f"{action} {API}",
            **fields,
        }
    )


def a_change(action: str = "rollback", **fields: Any) -> TemplatePatch:
    """From app:v2 to app:v1."""
    return TemplatePatch(
        **{
            "action": action,
            "target": API,
            "uid": "u1",
            "from_template": template("app:v2"),
            "to_template": template("app:v1"),
            "from_title": "revision 2 (app:v2)",
            "to_title": "revision 1 (app:v1)",
            "summary": f"{action} {API}",
            **fields,
        }
    )
