"""The control loops of a cluster, as far as Deployments need them."""
