"""Commands about the sentiment model: `model evaluate`, `model info` and `model import`."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crisisdesk.cli.loading import LabelsOption, ModelOption, model_loader
from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.terminal import BadLines, progress, put, put_json, say
from crisisdesk.lines import check_files, size_of
from crisisdesk.sentiment import card, choose, hub
from crisisdesk.text import clean

if TYPE_CHECKING:
    from crisisdesk.sentiment.evaluate import Report

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]

model = typer.Typer(
    name="model", help="The sentiment model: how good it is, what it is, and others instead.", no_args_is_help=True
)


@model.command("evaluate")
def model_evaluate(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Tab-separated with label and text; .gz too, - is stdin.")
    ],
    *,
    by: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Also for each value of this column; repeatable.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw how far its probabilities can be trusted.")
    ] = None,
    asked: ModelOption = None,
    labels: LabelsOption = None,
    as_json: AsJson = False,
) -> None:
    """Measure the model on labelled posts. `ece` is its calibration error, `chance` what luck alone makes of it."""
    from crisisdesk.sentiment.evaluate import evaluate, render  # noqa: PLC0415 - numpy, which only this needs

    check_files([file])
    size = size_of([file])
    judge = (model_loader(asked, labels) or load_shipped_model)()
    with BadLines() as bad, progress("scoring", size) as advance:
        report = evaluate(file, judge, by=by or (), bad=bad, progress=advance.to)
    if as_json:
        put_json(report.as_dict())
    else:
        put(render(report))
    if picture is not None:
        _draw(picture, judge.name, report)


def _draw(path: Path, name: str, report: "Report") -> None:
    """Write the picture of how far the probabilities can be trusted, and say where it is."""
    from crisisdesk.report.reliability import Curve, Point, plot  # noqa: PLC0415 - an imaging library only this needs

    curves = []
    for title, tally in report.rows():
        points = tuple(Point(one.low, one.high, one.posts, one.confidence, one.accuracy) for one in tally.bins())
        figures = tally.figures()
        curves.append(Curve(title, points, figures["ece"], figures["ece_chance"]))
    left_out = plot(path, curves, f"How far to trust {name}")
    say(f"Drew {clean(str(path))}." + (f" {left_out} smaller groups were left out." if left_out else ""))


@model.command("info")
def model_info(
    asked: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|FOLDER]", help="A model of the hub or a folder; else the shipped one."),
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say what is known about a model: its labels and what they mean here, its size, languages and licence.

    A model with a label whose meaning is not clear (?) cannot judge: it is shown, and what to write, with exit code 1.
    """
    known = choose.card_of(choose.find(asked), progress=sys.stderr.isatty())
    if as_json:
        put_json(asdict(known) | {"folder": str(known.folder)})
    else:
        put(card.render(known))
    known.require_clear()


@model.command("import")
def model_import(
    asked: Annotated[
        str,
        typer.Argument(metavar="NAME|FOLDER", help="A text classifier of the Hugging Face hub, or a folder with one."),
    ],
    *,
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where to put it; else where it is found.")] = None,
    labels: LabelsOption = None,
) -> None:
    """Make any classifier fast, and free of PyTorch: export it once, then use it by its name.

    The import itself needs PyTorch (pip install 'crisisdesk[torch]'); what it makes does not, and can be copied to
    other machines. Importing again takes the place of the older copy.
    """
    choice = choose.find_source(asked)
    choose.check(choice)
    from crisisdesk.sentiment.importing import STEPS, import_model  # noqa: PLC0415 - slow import

    source = choice.source or hub.fetch(choice.name, progress=sys.stderr.isatty())
    with progress(f"importing {choice.name}", STEPS) as advance:
        known = import_model(source, choice.name, out or choice.copy, labels, lambda: advance.more(1))
    put(card.render(known))
    say(f'Imported. Use it with --model {out or asked}, or in the configuration: [desk] model = "{out or asked}"')


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    commands.add_typer(model)
