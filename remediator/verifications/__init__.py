"""Did it help? One verification a file."""
