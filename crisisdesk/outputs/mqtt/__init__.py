"""Incidents over MQTT: what is told on which topic, and what others may ask of the desk there."""
