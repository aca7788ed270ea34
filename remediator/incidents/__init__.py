"""What became of one problem, told to people from what the database holds."""
