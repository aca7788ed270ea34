"""Who may use the API: how somebody is recognised, and which roles they hold."""
