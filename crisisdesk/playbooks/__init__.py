"""Playbooks: what a team decided beforehand to do and to say, read from Markdown files."""
