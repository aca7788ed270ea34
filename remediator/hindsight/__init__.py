"""What really happened after a decision in shadow, and what a rule has earned by that. Pure."""
