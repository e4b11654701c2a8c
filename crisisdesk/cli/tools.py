"""Commands that work on files: `detect`, `score`, `playbook check`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from crisisdesk.cli.loading import LabelsOption, ModelOption, model_loader
from crisisdesk.cli.running import load_shipped_model
from crisisdesk.cli.terminal import BadLines, progress, put_lines, say
from crisisdesk.clock import WallClock
from crisisdesk.detect.series import Judged, detect_series
from crisisdesk.detect.series_alerts import parse_rate
from crisisdesk.detect.series_file import HEADER, parse_columns, read_series
from crisisdesk.detect.series_file import as_csv as as_csv_row
from crisisdesk.detect.series_file import as_json as as_json_row
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.lines import Progress, shown_name, size_of
from crisisdesk.playbooks.check import check
from crisisdesk.playbooks.library import playbook_files
from crisisdesk.resources import folder
from crisisdesk.sentiment.score import score_texts
from crisisdesk.settings.columns import parse_columns as parse_post_columns
from crisisdesk.sources.file.reading import read_texts
from crisisdesk.text import clean, counted
from crisisdesk.threads import as_they_come

CHUNK: Final = 1000
"""Posts scored at once: enough to group them by length, and a second at most until their lines are out."""

ALERTS_TOLD: Final = 20
README: Final = "readme.md"
"""The file among playbooks that is none."""

AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]

playbook = typer.Typer(name="playbook", help="Playbooks: check what PR people wrote.", no_args_is_help=True)


def detect(
    counts: Annotated[str, typer.Argument(metavar="COUNTS.csv", help="With a header and timestamp,value; - is stdin.")],
    *,
    alerts: Annotated[str, typer.Option(help='How many alerts you want: "1 per week", "3 per day", …')] = "1 per week",
    columns: Annotated[
        str | None, typer.Option(metavar="timestamp=NAME,…", help="Which columns they are: timestamp=Date,value=Calls.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find the bursts in a series of counts: writes timestamp,value,expected,score,spike, a row for each row.

    Counts of any interval: minutes, hours, days. It learns the rhythm of the day and of the week, and alerts once for
    each burst. Commas, semicolons or tabs may separate the columns.

    timestamp and value are those of the file. expected: what is usual at that time. score, 0 to 1: how surprising the
    row is; 0.5 comes about once a week, 0.8 once a month, 0.98 once a year. spike: 1 where it alerts, else 0. Where
    the value cannot be read, these are empty. The alerts are told again at the end, on stderr.
    """
    rate = parse_rate(alerts)
    places = parse_columns(columns) if columns is not None else None
    name = shown_name(Path(counts))
    write = as_json_row if as_json else as_csv_row
    header = None if as_json else HEADER
    judged, alarms = 0, list[Judged]()

    def note(text: str) -> None:
        say(f"{name}: {text}.")

    with BadLines() as bad, progress("judging", size_of([Path(counts)]), streaming=True) as advance:
        samples = read_series(
            counts, lambda line, reason: bad(f"{name}:{line}: {reason}"), note, places, Progress(advance.to)
        )
        for row in detect_series(samples, rate, note):
            if header is not None:
                print(header)
                header = None
            print(write(row))
            judged += row.spike is not None
            if row.spike:
                alarms.append(row)
    if not judged:
        raise CrisisdeskError(f"{name}: not one value could be read; it needs a number in the column value.")
    _tell_alerts(alarms, judged)


def _tell_alerts(alarms: Sequence[Judged], judged: int) -> None:
    """What a person wants to know of a series: when it alerted, and how bad that was."""
    in_all = f"{counted(len(alarms), 'alert')} in {counted(judged, 'value')}"
    if not alarms:
        say(f"{in_all}.")
        return
    say(f"{in_all}, with what is usual at that time and the score:")
    for row in alarms[:ALERTS_TOLD]:
        usual = f"{row.expected:,.1f}" if row.expected is not None else "?"
        say(
            f"  {clean(row.timestamp, 40)}  {clean(row.value, 40)} where {usual} is usual  (score {row.score or 0:.2f})"
        )
    if (more := len(alarms) - ALERTS_TOLD) > 0:
        say(f"  and {more:,} more, where spike is 1")
    say("Scores: 0.5 comes about once a week, 0.8 once a month, 0.98 once a year.")


def score(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="JSON lines or CSV with text, or plain lines.")] = Path(
        "-"
    ),
    *,
    columns: Annotated[
        str | None, typer.Option(metavar="text=NAME,…", help="Other names: text=Inhalt,id=Nummer.")
    ] = None,
    model: ModelOption = None,
    labels: LabelsOption = None,
) -> None:
    """Say how negative, neutral or positive each post is: a JSON line for each.

    Of JSON lines and of CSV (a name in .csv or .tsv, or --columns) only text is needed; without an id it is the line's
    number. Of anything else each line is a post.

    On a terminal a bar shows how far it is, unless the results go into a pipe; write them to a file to see it.
    """
    bad, reading, size, done = BadLines(), Progress(), size_of([file]), 0
    places = parse_post_columns(columns) if columns is not None else None
    texts = read_texts(file, columns=places, on_bad=bad, on_note=say, progress=reading)
    judge = (model_loader(model, labels) or load_shipped_model)()
    with bad, progress("scoring", size, streaming=True) as advance:
        for some in as_they_come(texts, CHUNK):
            if lines := score_texts(some, judge, bad):
                put_lines(lines)
            done += len(lines)
            advance.to(done if size is None else reading.read)
    if not done and bad.count:
        raise CrisisdeskError("Not one post could be read; see the messages above for the reasons.")


@playbook.command("check")
def playbook_check(
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE|FOLDER]...", help="What to check; else playbooks/.")
    ] = None,
) -> None:
    """Check playbooks: one problem a line, with the line of the file and the cure."""
    asked = paths or [_own_playbooks()]
    number = sum(map(_playbooks_in, asked))
    problems = check(asked, WallClock().now().date())
    for problem in problems:
        print(problem)
    errors = sum(problem.severity == "error" for problem in problems)
    found = f"Errors: {errors}, warnings: {len(problems) - errors}" if problems else "No problems"
    say(f"{found} in {counted(number, 'playbook')}.")
    if errors:
        raise typer.Exit(1)


def _playbooks_in(path: Path) -> int:
    """How many there are to be checked.

    Raises:
        UsageError: none.
    """
    if not path.is_dir():
        if path.name.lower() == README:
            raise UsageError(f"{path} is for people who write playbooks and is none itself; name another file.")
        return 1
    if not (number := len(playbook_files(path))):
        raise UsageError(f"There is no playbook in {path}, that is, no .md file but README.md; name another folder.")
    return number


def _own_playbooks() -> Path:
    """`playbooks/` here, or those that came along, which is told."""
    here, along = Path("playbooks"), folder("playbooks")
    if here.is_dir():
        return here
    say("There is no folder playbooks/ here, so those that came along are checked; name a folder or a file of yours.")
    return along


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    commands.command()(detect)
    commands.command()(score)
    commands.add_typer(playbook)
