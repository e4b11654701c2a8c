"""What is usual for a watch, and whether what comes now is a spike that deserves a call."""
