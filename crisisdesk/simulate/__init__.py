"""Simulated brands, where the truth is known: how often the desk would call for nothing, and what it would find."""
