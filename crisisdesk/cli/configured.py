"""From the configuration file to what a run consists of."""

import os
from pathlib import Path

import typer

from crisisdesk import settings
from crisisdesk.errors import ConfigurationError
from crisisdesk.match import WatchRule
from crisisdesk.settings import Settings


def read(explicit: Path | None, *, required: bool = True) -> Settings | None:
    """The configuration in force.

    Raises:
        ConfigurationError: it is broken, or required and nowhere to be found.
    """
    user_folder = Path(typer.get_app_dir("crisisdesk"))
    path = settings.find(explicit, os.environ, Path.cwd(), user_folder)
    if path is None:
        if required:
            raise ConfigurationError(
                f"There is no configuration: no --config, no ${settings.VARIABLE}, no {settings.FILE_NAME} here or in "
                f"{user_folder}. `crisisdesk init` writes one to start from; `crisisdesk demo` needs none."
            )
        return None
    return settings.load(path)


def rules(configured: Settings) -> dict[WatchRule, float]:
    """The watches and their budgets of false alarms a month."""
    return {
        WatchRule(watch.name, watch.terms, watch.not_terms, watch.languages): watch.false_alarms
        for watch in configured.watches
    }
