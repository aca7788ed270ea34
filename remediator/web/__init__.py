"""Everything that is spoken over HTTP: the intake of alerts, the API, health and metrics."""
