"""What an operator decides: the shape of remediator.yml, and how it is read."""
