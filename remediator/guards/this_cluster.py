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
        return self._by_label(run, kit)

    def _by_label(self, run: RunView, kit: Kit) -> GuardVerdict:
        if kit.cluster_label is None:
            return self.allow("no cluster label is configured: every alert is of this cluster")
        if run.alert is None:
            return self.allow("a person asked this cluster's own daemon", {"this_cluster": kit.cluster})
        told = run.alert.labels.get(kit.cluster_label)
        inputs = {"label": kit.cluster_label, "alert": told, "this_cluster": kit.cluster}
        if told is None:
            return self.refuse(f"the alert has no label {kit.cluster_label!r} to say which cluster", inputs)
        if told != kit.cluster:
            return self.refuse(f"the alert is about cluster {told!r}; this one is {kit.cluster!r}", inputs)
        return self.allow(f"the alert is about {kit.cluster!r}, this cluster", inputs)
