"""What can be concluded from raw Kubernetes objects. Pure: nothing here reads, writes or knows the time."""
