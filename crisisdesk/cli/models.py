"""Commands about the sentiment model: `model evaluate` and `model info`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.terminal import BadLines, progress, put, put_json, say
from crisisdesk.lines import size_of
from crisisdesk.sentiment import card
from crisisdesk.text import clean

if TYPE_CHECKING:
    from crisisdesk.sentiment.evaluate import Report

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]

model = typer.Typer(name="model", help="The sentiment model: how good it is, what it is.", no_args_is_help=True)


@model.command("evaluate")
def model_evaluate(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Tab-separated with label and text; .gz too.")],
    *,
    by: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="Also for each value of this column; repeatable.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw how far its probabilities can be trusted.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure the model on labelled posts. `ece` is its calibration error, `chance` what luck alone makes of it."""
    from crisisdesk.sentiment.evaluate import evaluate, render  # noqa: PLC0415 - numpy, which only this needs

    bad, size = BadLines(), size_of([file])
    shipped = load_shipped_model()
    with progress("scoring", size) as advance:
        report = evaluate(file, shipped, by=by or (), bad=bad, progress=advance.to)
    bad.summarize()
    if picture is not None:
        _draw(picture, shipped.name, report)
    if as_json:
        put_json(report.as_dict())
    else:
        put(render(report))


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
def model_info(*, as_json: AsJson = False) -> None:
    """Say which model judges, and what is known about it."""
    known = card.read_card(card.default_model_folder())
    if as_json:
        put_json(asdict(known) | {"folder": str(known.folder)})
    else:
        put(card.render(known))


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    commands.add_typer(model)
