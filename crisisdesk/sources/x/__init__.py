"""X: its filtered stream, by rules made of the watches, and what that costs."""
