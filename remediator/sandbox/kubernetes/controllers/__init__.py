"""The control loops of a cluster, as far as Deployments, StatefulSets and DaemonSets need them."""
