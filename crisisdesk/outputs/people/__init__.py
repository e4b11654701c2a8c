"""Incidents to people: who is told, by which service, how often, and in which words."""
