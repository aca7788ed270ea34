"""Everything the daemon knows, in PostgreSQL: one module for each noun, its SQL beside the function."""
