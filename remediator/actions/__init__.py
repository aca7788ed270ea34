"""What may be changed; one action a file, each only proposes."""
