"""What a running desk does: hears, matches, counts, calls, forgets, and goes on after a restart."""
