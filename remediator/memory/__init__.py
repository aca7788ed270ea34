"""Remembers workloads of opted-in namespaces: which revision was current when, and was it available."""
