"""Ways to tell people; one notifier a file."""
