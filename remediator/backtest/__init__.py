"""What rules would have done over a history: a simulation without database, cluster or clock of its own."""
