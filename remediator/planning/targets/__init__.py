"""What an alert's labels lead to in the cluster: one reading source a file, tried in order of strength."""
