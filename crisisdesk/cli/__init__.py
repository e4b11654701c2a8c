"""The command `crisisdesk`: arguments, signals, exit codes; results on stdout, everything else on stderr."""

from crisisdesk.cli.main import main

__all__ = ["main"]
