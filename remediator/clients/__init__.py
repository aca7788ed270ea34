"""The ways to the outside world. Foreign errors become Retryable or Permanent here and nowhere else."""
