"""What a run is about must be of the cluster this daemon serves, and so must the database that knows of it."""

from remediator.domain.answers import GuardVerdict
from remediator.domain.belonging import IDENTITY
from remediator.domain.run_view import RunView
from remediator.kit import Kit
from remediator.step import TargetGuard


class ThisCluster(TargetGuard):
    """Compares the cluster that the database belongs to with the one we change, by the uid of kube-system; then the
    alert's cluster label with our own name, where such a label is configured.

    A copy of a database elsewhere finds another uid. A person names a workload of the cluster whose daemon is asked.
    """

    before_each_write = True

    async def on_target(self, run: RunView, kit: Kit) -> GuardVerdict:
        namespace = await kit.kube.namespace(IDENTITY)
        if namespace is None:
            return self.unknown(f"there is no namespace {IDENTITY}, whose uid tells which cluster this is")
        binding = await kit.history.binding()
        if binding is None:
            return self.unknown("the database belongs to no cluster yet")
        another = binding.against(str(namespace["metadata"]["uid"]))
        if another is not None:
            return self.refuse(another, {"bound": binding.to_json()}, passing=True)
        return self.by_label(run, kit.cluster_label, kit.cluster)

    def by_label(self, run: RunView, label: str | None, this_cluster: str) -> GuardVerdict:
        """The verdict on what the alert says by `label`, None where no such label is configured."""
        if label is None:
            return self.allow("no cluster label is configured: every alert is of this cluster")
        if run.alert is None:
            return self.allow("a person asked this cluster's own daemon", {"this_cluster": this_cluster})
        told = run.alert.labels.get(label)
        inputs = {"label": label, "alert": told, "this_cluster": this_cluster}
        if told is None:
            return self.refuse(f"the alert has no label {label!r} to say which cluster", inputs)
        if told != this_cluster:
            return self.refuse(f"the alert is about cluster {told!r}; this one is {this_cluster!r}", inputs)
        return self.allow(f"the alert is about {this_cluster!r}, this cluster", inputs)
