"""Plain values every other room speaks in. Nothing here reads or writes anything."""
