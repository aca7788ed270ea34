"""Read-only looks; one diagnostic a file."""
