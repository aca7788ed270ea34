"""What Prometheus records of a healthy Deployment through kube-state-metrics."""

from datetime import datetime, timedelta

from remediator.sandbox.prometheus import Recorded

SCRAPED_EVERY = timedelta(seconds=30)


def healthy(
    replica_set: str,
    length: timedelta,
    until: datetime,
    *,
    replicas: int = 2,
    namespace: str = "shop",
    name: str = "api",
    **labels: str,
) -> list[Recorded]:
    """Every sample of `length` before `until`: all replicas are of this ReplicaSet, and ready."""
    moments = [until - SCRAPED_EVERY * each for each in range(length // SCRAPED_EVERY, -1, -1)]
    samples = [(moment, float(replicas)) for moment in moments]
    of = {"namespace": namespace, "job": "kube-state-metrics", **labels}
    return [
        Recorded(
            {"__name__": "kube_replicaset_status_ready_replicas", "replicaset": replica_set, **of}, samples
        ),
        Recorded({"__name__": "kube_replicaset_spec_replicas", "replicaset": replica_set, **of}, samples),
        Recorded({"__name__": "kube_deployment_spec_replicas", "deployment": name, **of}, samples),
    ]
