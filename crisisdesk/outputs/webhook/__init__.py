"""Incidents to a server: who is told, what it answers, and what it is told."""
