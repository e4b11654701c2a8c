"""Another model than the shipped one: chosen by the call or the configuration, loaded where it may take its time."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Annotated

import typer

from crisisdesk.errors import UsageError
from crisisdesk.sentiment import choose, hub
from crisisdesk.sentiment.base import Model
from crisisdesk.sentiment.labels import parse_labels

ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME|FOLDER",
        help="Judge with this classifier of the Hugging Face hub or folder; else the shipped one.",
    ),
]

LabelsOption = Annotated[
    dict[str, str] | None,
    typer.Option(
        "--labels",
        metavar="LABEL=MOOD,...",
        parser=parse_labels,
        help='What the labels of that model mean: "LABEL_0=negative,LABEL_1=neutral,…".',
    ),
]


def model_loader(asked: str | None, labels: Mapping[str, str] | None = None) -> Callable[[], Model] | None:
    """What loads the model that is asked for; None where nothing is, which means the shipped one.

    What can be said at once is said here, before a console opens; the rest when it is called, in a worker thread.
    A model that must be fetched first is fetched here, too: that may take minutes, in which people see a bar and can
    interrupt it, as they cannot interrupt a thread.

    Raises:
        UsageError: there is no such folder, it is no name, or labels are given without a model.
        ModelError: it needs PyTorch, and that is not installed, or it cannot be fetched.
    """
    if asked is None and labels:
        raise UsageError("--labels says what the labels of another model mean; name that with --model.")
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
