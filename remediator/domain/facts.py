"""The closed list of facts that a procedure may be filled in with. How each is found out is the room facts/'s part."""

from collections.abc import Mapping
from types import MappingProxyType

FACTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "run.id": ("the run's number", "remediator runs list"),
        "target.kind": ("the workload's kind", "remediator runs show"),
        "target.namespace": ("its namespace", "remediator runs show"),
        "target.name": ("its name", "remediator runs show"),
        "target.selector": ("the labels that select its pods", "kubectl describe the workload, Selector"),
        "target.container": ("its main container", "kubectl get the workload -o yaml"),
        "target.replicas": ("how many replicas it had", "kubectl get the workload, and its autoscaler"),
        "target.autoscaler": ("what changes its replicas", "kubectl get hpa,scaledobject"),
        "target.match_labels": (
            "the labels that select its pods, as JSON",
            "kubectl get the workload -o json",
        ),
        "target.pod": ("a pod of it that is ready", "kubectl get pods"),
        "target.config_map": ("the ConfigMap it uses", "kubectl get the workload -o yaml"),
        "target.secret": ("the Secret it uses", "kubectl get the workload -o yaml"),
        "target.secret_key": ("the one entry of it that it takes", "kubectl get the workload -o yaml"),
        "target.health": ("the address of its health through the API server", "kubectl get services"),
        "memory.short": (
            "whether its memory does not suffice",
            "kubectl describe pods, OOMKilled; kubectl top pods",
        ),
        "memory.container": ("its container that was killed, or its main one", "kubectl describe pods"),
        "memory.limit": ("its memory limit", "kubectl describe the workload, Limits"),
        "memory.suggested": ("the memory limit that it should have", "what it uses, and a quarter more"),
        "memory.rests_on": ("what that limit rests on", "kubectl describe pods; kubectl top pods"),
        "autoscaler.name": ("its HorizontalPodAutoscaler", "kubectl get hpa"),
        "autoscaler.min": ("the fewest replicas it keeps", "kubectl get hpa"),
        "autoscaler.max": ("the most replicas it makes", "kubectl get hpa"),
        "autoscaler.raised": ("half as many more as its most replicas", "kubectl get hpa, by hand"),
        "revision.current": ("the revision that runs", "kubectl rollout history"),
        "revision.good": ("the newest revision known to be good", "remediator runs explain, versions"),
        "database.name": ("the database's name", "psql --list"),
        "database.restored": ("the name to restore into", "any name that psql --list does not show"),
        "database.before": ("the name to keep the old one under", "any name that psql --list does not show"),
        "database.namespace": ("the namespace of its server", "kubectl get pods --all-namespaces"),
        "database.pod": ("the pod of its primary", "select pg_is_in_recovery() in each: it is false there"),
        "database.container": ("its server's container", "kubectl get the pod -o yaml"),
        "database.admin": ("its server's superuser", "POSTGRES_USER in the pod"),
        "backup.id": ("the newest verified backup", "look where backups are kept"),
        "backup.location": ("where it is", "look where backups are kept"),
        "backup.file": ("its file's name", "look where backups are kept"),
        "backup.format": ("whether it is an archive or SQL", "file(1) on it"),
        "backup.checksum": ("its SHA-256", "the file of checksums beside it"),
        "backup.directory": ("where backups are kept", "the job that makes them"),
        "backup.made_at": ("when it was made", "look where backups are kept"),
        "backup.age_hours": ("its age", "look where backups are kept"),
        "schema.head": ("the schema's version now", "select version_num from alembic_version"),
        "schema.before": ("its version before the current rollout", "alembic history"),
        "blocker.session": (
            "the session that holds up others, as SQL",
            "pg_blocking_pids(pid) of those that wait",
        ),
        "blocker.holds_up": ("how many wait for it", "pg_blocking_pids(pid) of those that wait"),
    }
)
"""Of each: what it is, and where a person finds it when it is not known here."""
