"""Commands that play what was recorded: `demo` and `replay`."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crisisdesk.app import App
from crisisdesk.backtest.stories import Story
from crisisdesk.cases import Case, case
from crisisdesk.cli.account import Account, how_many
from crisisdesk.cli.ending import tell_end, tell_unheard, unheard
from crisisdesk.cli.hindsight import in_hindsight
from crisisdesk.cli.loading import LabelsOption, ModelOption, model_loader
from crisisdesk.cli.running import database, load_shipped_model, run_console, run_headless
from crisisdesk.cli.terminal import BadLines, clocks, is_terminal, progress, put, put_json, say
from crisisdesk.clock import ReplayClock, WallClock
from crisisdesk.detect.standard import Standard
from crisisdesk.errors import CrisisdeskError, UsageError
from crisisdesk.lines import shown_name, size_of
from crisisdesk.match import WatchRule
from crisisdesk.plan import Agreed, Plan
from crisisdesk.records import EPOCH, Post, Severity, stamp
from crisisdesk.resources import folder
from crisisdesk.sentiment.base import Model
from crisisdesk.settings.columns import parse_columns
from crisisdesk.settings.usual import parse_zone
from crisisdesk.sources.file.reading import read_posts
from crisisdesk.sources.file.replay import Pace, Replay
from crisisdesk.text import counted, how_long

if TYPE_CHECKING:
    from crisisdesk.backtest.backtest import BackTest
    from crisisdesk.backtest.compare import Comparison, Outcome
    from crisisdesk.detect.planned import Planned
    from crisisdesk.settings import Settings

DEMO_SPEED: Final = 2880.0
"""Seconds of the case in a second: a day in half a minute."""
HOUR: Final = timedelta(hours=1)
STANDARD: Final = Standard()
"""For watches that come without a configuration."""
RULES: Final = "huginn, ewma, ratio, count, zscore, esd, share, sharez"
"""Names of `crisisdesk.detect.simpler.RULES`; they need an arithmetic library that only a replay loads."""


def demo(
    *,
    speed: Annotated[
        float | None,
        typer.Option(min=0, help="Seconds of the case in a second; 2880 on a terminal, as fast as it can without."),
    ] = None,
    headless: Annotated[bool, typer.Option("--headless", help="No console: one line an event.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text; implies --headless.")] = False,
    model: ModelOption = None,
    labels: LabelsOption = None,
    keep: Annotated[
        Path | None, typer.Option("--database", metavar="FILE", help="Keep the database in this new file.")
    ] = None,
) -> None:
    """Play the Motrin case of 2008 (a reconstruction) on the shipped model: no set-up, no network."""
    if speed is not None and not 0 < speed < float("inf"):
        raise UsageError("--speed takes a positive number, such as 2880 for a day in half a minute.")
    load_model = model_loader(model, labels) or load_shipped_model
    story, account, bad = case("motrin"), Account(as_json), BadLines()
    on_screen = is_terminal() and not headless and not as_json
    with database(keep) as path:
        pace = Pace(ReplayClock(EPOCH), speed or (DEMO_SPEED if on_screen else None), story.shown_from)

        def prepare(app: App) -> None:
            pace.caught_up, pace.clock.reached = app.caught_up, app.reached
            if not on_screen:
                app.register.subscribe(account)

        plan = _demo_plan(story, path, pace, bad, load_model)
        if on_screen:
            run_console(plan, prepare)
            return
        if not as_json:
            put(f"{story.title}. {story.notice}")
        app = run_headless(plan, prepare)
    if as_json:
        put_json(account.summary(app, bad.count))
    else:
        put(_outcome(story, account))


def _demo_plan(story: Case, path: Path, pace: Pace, bad: BadLines, load_model: Callable[[], Model]) -> Plan:
    posts = read_posts([story.path], on_bad=bad)
    return Plan(
        watches={WatchRule(story.watch, story.terms): STANDARD},
        sources=[Replay(story.name, posts, pace.clock, pace)],
        database=path,
        playbooks=folder("playbooks"),
        clock=pace.clock,
        load_model=load_model,
        notice=story.notice,
        answers=[story.watch],
        zone=story.zone,
    )


def _outcome(story: Case, account: Account) -> str:
    """The last line: when the desk would have called, and how much earlier than the company answered."""
    amber, red = account.first(Severity.AMBER), account.first(Severity.RED)
    gain = f"{(story.first_answer - red).total_seconds() / 3600:.0f} h earlier" if red else "no red"
    return (
        f"first amber {stamp(amber) if amber else 'none'}, first red {stamp(red) if red else 'none'}, "
        f"company answered {stamp(story.first_answer)}: {gain}"
    )


def replay(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSON lines or CSV, .gz too; - reads stdin.")],
    *,
    watch: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=term,term", help="Watch this; repeatable. Tags of the posts are watches too."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", metavar="FILE", help="Take watches and model of this configuration."),
    ] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="OURS=THEIRS,...", help="Other names: time=created_at,text=body,...")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines instead of text.")] = False,
    picture: Annotated[Path | None, typer.Option("--plot", metavar="OUT.png", help="Draw what was seen.")] = None,
    compare: Annotated[
        str | None,
        typer.Option(metavar="RULE,...", help=f"What simpler rules would have done: {RULES}."),
    ] = None,
    timezone: Annotated[
        str | None,
        typer.Option(metavar="Europe/Berlin", help="Of times without a zone (else UTC), and what is shown."),
    ] = None,
    model: ModelOption = None,
    labels: LabelsOption = None,
    keep: Annotated[
        Path | None,
        typer.Option("--database", metavar="FILE", help="Keep the database in this new file, for `report weekly`."),
    ] = None,
) -> None:
    """Show what the desk would have made of recorded posts: every incident with its reason and its evidence.

    Watches come from --watch, from the configuration that `crisisdesk run` would take, and from tags of the posts.
    Times are shown by the clocks of `timezone` in the configuration, or of --timezone.
    """
    from crisisdesk.backtest.backtest import BackTest  # noqa: PLC0415 - see `RULES`
    from crisisdesk.backtest.compare import parse_rules  # noqa: PLC0415 - the same

    settings = _configured(config, watch or [])
    zone = parse_zone(timezone) if timezone else settings.desk.timezone if settings else None
    watches = _watches(settings, watch or [], Standard(zone=zone))
    load_model = _chosen(settings, model, labels) or load_shipped_model
    test, size = BackTest(parse_rules(compare) if compare is not None else ()), size_of(files)
    times = {rule.name: clocks(standard.zone) for rule, standard in watches.items()}
    account = Account(as_json, True, lambda name: times.get(name, clocks(zone)), test.stories)
    with BadLines() as bad, database(keep) as path, progress("reading posts", size, streaming=True) as advance:
        posts = read_posts(
            files,
            columns=parse_columns(columns) if columns else None,
            on_bad=bad,
            on_note=say,
            progress=advance.to,
            present=WallClock().now,
            zone=zone if timezone and zone else UTC,
        )
        plan = _replay_plan(watches, test, posts, path, load_model)
        plan.chart_hours = None if picture else 1
        plan.standing = Agreed(planned=_planned(settings))
        app = run_headless(plan, lambda app: app.register.subscribe(account))
        if not app.tally.posts:
            raise CrisisdeskError("Not one post could be read; see the messages above for the reasons.")
        if keep is not None:
            _keep_learnt(path, app)
    silent = unheard(app)
    tell_unheard(app, silent, shown_name(files[0]) if len(files) == 1 else f"{len(files)} files")
    nothing = len(silent) == len(app.observation.detectors)  # also where there is no watch
    if picture is not None and not nothing:
        _tell_picture(picture, _draw(picture, app, test, zone or UTC))
    outcomes = _outcomes(test.comparison)
    if as_json:
        put_json({**account.summary(app, bad.count), **in_hindsight(test, outcomes)})
    else:
        steps = [] if nothing else _next(picture, compare, keep)
        tell_end(app, account, test, outcomes, bad_lines=bad.count, next_steps=steps)
    if nothing:
        raise typer.Exit(CrisisdeskError.exit_code)


def _replay_plan(
    watches: Mapping[WatchRule, Standard],
    test: "BackTest",
    posts: Iterator[Post],
    path: Path,
    load_model: Callable[[], Model],
) -> Plan:
    clock = ReplayClock(EPOCH)
    return Plan(
        watches=watches,
        sources=[Replay("replay", test.recording.of(posts), clock, Pace(clock))],
        database=path,
        playbooks=folder("playbooks"),
        clock=clock,
        load_model=load_model,
        open_to_tags=True,
        follow=test.follow,
    )


def _next(picture: Path | None, compare: str | None, keep: Path | None) -> list[str]:
    """What else can be had of the recording."""
    if keep is not None:
        return [f"crisisdesk report weekly --database {shown_name(keep)} tells how the weeks were"]
    return [
        *(["--plot slide.png draws it"] if picture is None else []),
        *(["--compare huginn,ewma,ratio sets simpler rules beside it"] if compare is None else []),
        "--database FILE keeps it for `crisisdesk report weekly`",
    ]


def _keep_learnt(path: Path, app: App) -> None:
    from crisisdesk.cli.weekly import keep_learnt  # noqa: PLC0415 - only a database that is kept needs it

    asyncio.run(keep_learnt(path, app.observation.detectors.values(), app.observation.now))


def _tell_picture(picture: Path, left_out: int) -> None:
    quieter = f" {counted(left_out, 'quieter watch was', 'quieter watches were')} left out." if left_out else ""
    say(f"Drew {picture}.{quieter}")


def _outcomes(comparison: "Comparison | None") -> "list[Outcome]":
    """What the simpler rules say, if they are asked."""
    if comparison is None:
        return []
    with progress("simpler rules", comparison.length) as advance:
        return comparison.outcomes(advance.to)


def _draw(path: Path, app: App, test: "BackTest", zone: tzinfo) -> int:
    """Write the picture; returns how many watches had no place in it."""
    from crisisdesk.report.bars import Bar  # noqa: PLC0415 - an imaging library only this needs
    from crisisdesk.report.plot import Episode, WatchSeries, plot  # noqa: PLC0415 - the same

    def episode(story: Story) -> Episode:
        levels = tuple(story.levels)
        called = story.calls[0] if story.calls else None
        delay = how_long(story.delay) if story.delay else ""
        return Episode(
            story.first,
            levels,
            story.end,
            called,
            delay,
            story.signal is not None,
            how_many(story.peak) if story.peak else "",
            flood=bool(story.flood),
        )

    series = [
        WatchSeries(
            watch,
            tuple(
                Bar(
                    hour.start, hour.start + HOUR, hour.negative, hour.total, hour.expected, hour.high, hour.usual_share
                )
                for hour in detector.hours()
            ),
            tuple(episode(story) for story in test.stories.all() if story.incident.watch == watch),
        )
        for watch, detector in app.observation.detectors.items()
    ]
    return plot(path, series, zone=zone)


def _configured(config: Path | None, given: Sequence[str]) -> "Settings | None":
    """A configuration, if one is named or lies where configurations are looked for; says which, and what it watches."""
    from crisisdesk.cli.configured import place, read_if_any  # noqa: PLC0415 - what a configuration needs takes long to load

    settings, where = read_if_any(config), place(config)
    if settings is not None and where is not None:
        watched = ", ".join(watch.name for watch in settings.watches) or "nothing"
        beside = f", and {', '.join(_watch_rule(text).name for text in given)} of --watch" if given else ""
        say(
            f"Watching {watched} of {shown_name(where)}{beside}. "
            "Other watches: --watch NAME=term,term; another configuration: --config FILE."
        )
    return settings


def _chosen(
    settings: "Settings | None", model: str | None, labels: Mapping[str, str] | None
) -> Callable[[], Model] | None:
    """What loads the model of the call, else that of the configuration; None for the shipped one."""
    if model is None and labels is None and settings is not None:
        return model_loader(settings.desk.model, settings.desk.model_labels)
    return model_loader(model, labels)


def _rules(settings: "Settings") -> dict[WatchRule, Standard]:
    from crisisdesk.cli.configured import rules  # noqa: PLC0415 - see above

    return rules(settings)


def _planned(settings: "Settings | None") -> "Sequence[Planned]":
    """What was announced for the watches of a configuration."""
    from crisisdesk.cli.orders import planned  # noqa: PLC0415 - see above

    return planned(settings) if settings else ()


def _watches(settings: "Settings | None", named: Sequence[str], standard: Standard) -> dict[WatchRule, Standard]:
    """The configured watches and those of `--watch`, which take the place of configured ones of their name."""
    given = [_watch_rule(text) for text in named]
    if twice := [name for name, n in Counter(rule.name for rule in given).items() if n > 1]:
        raise UsageError(f"--watch names {twice[0]!r} twice; give it all its terms at once.")
    names = {rule.name for rule in given}
    known = _rules(settings) if settings else {}
    configured = {rule: budget for rule, budget in known.items() if rule.name not in names}
    return {**configured, **dict.fromkeys(given, standard)}


def _watch_rule(text: str) -> WatchRule:
    name, equals, terms = text.partition("=")
    found = tuple(term.strip() for term in terms.split(",") if term.strip())
    if not (name.strip() and equals and found):
        raise UsageError(f"--watch {text!r} names no terms; write it like --watch 'Motrin=motrin,#motrinmoms'.")
    return WatchRule(name.strip(), found)


def add_to(commands: typer.Typer) -> None:
    """Make the commands known."""
    commands.command()(demo)
    commands.command()(replay)
