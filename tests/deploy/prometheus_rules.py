"""The files of deploy/prometheus as PrometheusRules. `python -m tests.deploy.prometheus_rules` writes them anew."""

from tests.deploy.manifests import DEPLOY

AS_OBJECTS = {"alerts": "alerts", "objectives": "objectives", "remediator-alerts": "itself"}
"""The files, and what the objects are called after `remediator-`. kube-prometheus has a Watchdog of its own."""

_OBJECT = """\
# Made of deploy/prometheus/{name}.yml by `python -m tests.deploy.prometheus_rules`: change it there.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: remediator-{short}
  namespace: remediator
  labels:
    app.kubernetes.io/name: remediator
    prometheus: k8s
    role: alert-rules
spec:
  groups:
"""


def as_object(name: str) -> str:
    """A rule file as a PrometheusRule, with its comments."""
    head, _, groups = (DEPLOY / "prometheus" / f"{name}.yml").read_text().partition("groups:\n")
    indented = "".join(f"  {line}" if line.strip() else line for line in groups.splitlines(keepends=True))
    return head + _OBJECT.format(name=name, short=AS_OBJECTS[name]) + indented


def _write() -> None:
    for name in AS_OBJECTS:
        (DEPLOY / "prometheus-operator" / f"{name}.yaml").write_text(as_object(name))


if __name__ == "__main__":
    _write()
