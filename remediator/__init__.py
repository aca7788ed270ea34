"""Alert-driven auto-remediation for Kubernetes."""
