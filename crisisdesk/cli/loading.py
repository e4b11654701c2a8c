"""Another model than the shipped one: chosen by the call or the configuration, loaded where it may take its time."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

import typer

from crisisdesk.sentiment import choose, hub
from crisisdesk.sentiment.base import Model

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="Judge with this classifier of the Hugging Face hub or folder; else the shipped one.",
    ),
]


def model_loader(asked: str | None, labels: Mapping[str, str] | None = None) -> Callable[[], Model] | None:
    """What loads the model that is asked for; None where nothing is, which means the shipped one.

    What can be said at once is said here, before a console opens; the rest when it is called, in a worker thread.
    A model that must be fetched first is fetched here, too: that may take minutes, in which people see a bar and can
    interrupt it, as they cannot interrupt a thread.

    Raises:
        UsageError: there is no such folder, or it is no name.
        ModelError: it needs PyTorch, and that is not installed, or it cannot be fetched.
    """
    if asked is None:
        return None
    choice = choose.find(asked)
    choose.check(choice)
    if choice.ready is None and choice.source is None:
        choice = replace(choice, source=hub.fetch(choice.name, progress=sys.stderr.isatty()))

    def load() -> Model:
        from crisisdesk.sentiment.cached import Cached  # noqa: PLC0415 - slow import

        return Cached(choose.load(choice, labels))

    return load
