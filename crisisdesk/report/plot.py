"""The picture of a back-test: negative posts and their share against the usual, and the incidents over them.

Made to be shown on a wall: few words, large letters, severities as words and not as colours alone. Drawn with Pillow
and the font that it brings, so that a picture needs no plotting library. Times are those of one zone, which it names.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from crisisdesk.records import EPOCH, Severity
from crisisdesk.report.axes import HOUR, TimeAxis, day, on_the_wall
from crisisdesk.report.bars import STEPS, Bar, put_together, step_for
from crisisdesk.report.panel import FURNITURE, SIZE, Level, Moment, Panel
from crisisdesk.report.style import (
    ABOVE,
    BAND,
    BAR,
    EXPECTED,
    FAINT,
    INK,
    PAPER,
    TINTS,
    WIDTH,
    font,
    legend,
    name,
    save,
    title,
)
from crisisdesk.text import counted

LEFT: Final = 110
RIGHT: Final = WIDTH - 50
HEADER: Final = 162
HEIGHT: Final = 150
"""Of the plot of a watch's counts; with all around it, two watches or one and its worst incident fill a slide."""
PANEL_HEIGHT: Final = FURNITURE + HEIGHT
FOOTER: Final = 12
MOST_PANELS: Final = 4
BEFORE, AFTER = timedelta(hours=18), timedelta(hours=6)
"""What is shown around an incident that is drawn large."""
FLOOD: Final = "flood of copies"
WORTH_ENLARGING: Final = 3
"""An incident is drawn large as well if the picture is so many times as long."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An incident from its first signal to its end, None if it had none.

    `levels` say from when on it was how bad, None while it was over before it came back. `delay` says in words how long
    after the first signal somebody was called, which was at `called`; nobody was where these are "" and None.
    """

    first: datetime
    levels: tuple[tuple[datetime, Severity | None], ...]
    end: datetime | None = None
    called: datetime | None = None
    delay: str = ""
    signalled: bool = True
    """Whether there was a first signal; otherwise `first` is when it was noticed."""
    peak: str = ""
    """Its worst hour in words, if it is known."""
    flood: bool = False
    """It is a flood of copies, and says nothing of the bars, which count each text once."""

    @property
    def worst(self) -> Severity:
        """How bad it was at its worst."""
        return max(severity for _, severity in self.levels if severity is not None)

    def until(self, end: datetime) -> datetime:
        """When it ended; the end of the picture if it had not."""
        return self.end or end

    def parts(self, end: datetime) -> list[Level]:
        """From one change to the next, until its own end or that of the picture."""
        changes = [(self.first, None), *self.levels, (self.until(end), None)]
        return [Level(at, until, severity) for (at, severity), (until, _) in itertools.pairwise(changes)]

    @property
    def rises(self) -> list[tuple[datetime, Severity]]:
        """When it opened or got worse."""
        before = [0, *(severity or 0 for _, severity in self.levels)]
        return [
            (at, severity)
            for (at, severity), last in zip(self.levels, before, strict=False)
            if severity and severity > last
        ]


@dataclass(frozen=True, slots=True)
class WatchSeries:
    """What one watch saw, a bar an hour, oldest first, and its incidents."""

    name: str
    hours: tuple[Bar, ...]
    episodes: tuple[Episode, ...] = ()


def plot(
    path: Path,
    watches: Sequence[WatchSeries],
    heading: str = "When the desk would have called",
    zone: tzinfo = UTC,
) -> int:
    """Write a PNG with a panel for each of the most eventful watches.

    Worst severity first, then most incidents, then most negative posts; at most `MOST_PANELS`. A watch that is alone
    has its worst incident drawn large below. The picture says how many watches were left out, and shows the times of
    `zone`.

    Returns:
        how many watches were left out.

    Raises:
        CrisisdeskError: the file cannot be written.
    """
    shown = sorted(watches, key=_eventfulness)[:MOST_PANELS]
    left_out = len(watches) - len(shown)
    save(_draw(shown, heading, left_out, zone), path)
    return left_out


def _eventfulness(watch: WatchSeries) -> tuple[int, int, int, str]:
    """Sort key, most eventful first."""
    worst = max((episode.worst for episode in watch.episodes), default=0)
    return (-worst, -len(watch.episodes), -sum(hour.negative for hour in watch.hours), watch.name)


def _draw(watches: Sequence[WatchSeries], heading: str, left_out: int, zone: tzinfo) -> Image.Image:
    axis = _axis(watches, zone)
    large = _to_enlarge(watches[0], axis) if len(watches) == 1 else None
    panels = max(1, len(watches)) + (large is not None)
    image = Image.new("RGB", (WIDTH, HEADER + PANEL_HEIGHT * panels + FOOTER), PAPER)
    draw = ImageDraw.Draw(image)
    _header(draw, heading, axis, len(watches), left_out)
    step = step_for(axis.end - axis.start)
    for number, watch in enumerate(watches):
        bars = put_together(watch.hours, step, zone)
        moments = [
            _moment(episode, zone) for episode in sorted(watch.episodes, key=lambda one: (-one.worst, one.first))
        ]
        panel = _panel(draw, axis, number, bars, episodes=watch.episodes, moments=moments)
        panel.title(name(watch.name), _summary(watch, bars, step, panel.words(moments)))
    if large is not None:
        _enlarge(draw, watches[0], large, panels - 1, axis)
    return image


def _panel(
    draw: ImageDraw.ImageDraw,
    axis: TimeAxis,
    number: int,
    bars: Sequence[Bar],
    *,
    episodes: Sequence[Episode],
    moments: Sequence[Moment],
) -> Panel:
    """Everything but the words."""
    most = max([4.0, *(float(bar.negative) for bar in bars), *(bar.high or 0.0 for bar in bars)])
    panel = Panel(draw, axis, HEADER + number * PANEL_HEIGHT, HEIGHT, most)
    levels = [level for one in episodes for level in one.parts(axis.end)]
    panel.spans(levels)
    panel.grid()
    panel.moments(moments)
    panel.counts(bars)
    panel.shares(bars)
    panel.levels(levels)
    return panel


def _moment(episode: Episode, zone: tzinfo) -> Moment:
    """What stands over an incident in the whole picture: when it called, and when it was worst if that came later."""
    at = episode.called or episode.levels[0][0]
    wall = on_the_wall(at, zone)
    what = f"{FLOOD}, " if episode.flood else ""
    words = f"{what}{'called ' if episode.called else ''}{day(wall)} {wall:%H:%M}"
    worst = next(moment for moment, severity in episode.levels if severity is episode.worst)
    if worst > at:
        words += f", {episode.worst} {on_the_wall(worst, zone):%H:%M}"
    return at, episode.worst, words


def _to_enlarge(watch: WatchSeries, axis: TimeAxis) -> Episode | None:
    """The worst spike with a call, if it is small in the whole picture."""
    called = [one for one in watch.episodes if one.called is not None and not one.flood]
    worst = max(called, key=lambda one: (one.worst, one.until(axis.end) - one.first), default=None)
    if worst is None or (_around(worst, axis)[1] - _around(worst, axis)[0]) * WORTH_ENLARGING > axis.end - axis.start:
        return None
    return worst


def _around(episode: Episode, axis: TimeAxis) -> tuple[datetime, datetime]:
    return max(axis.start, episode.first - BEFORE), min(axis.end, episode.until(axis.end) + AFTER)


def _enlarge(draw: ImageDraw.ImageDraw, watch: WatchSeries, episode: Episode, number: int, whole: TimeAxis) -> None:
    """One incident by itself, with all that happened to it."""
    start, end = _around(episode, whole)
    axis, zone = TimeAxis(start, end, LEFT, RIGHT, whole.zone), whole.zone
    step = step_for(end - start)
    bars = put_together([hour for hour in watch.hours if start <= hour.start and hour.end <= end], step, zone)
    rises: list[Moment] = [(at, severity, f"{on_the_wall(at, zone):%H:%M}") for at, severity in reversed(episode.rises)]
    began = "first signal" if episode.signalled else "noticed"
    moments = [*rises, (episode.first, None, f"{began} {on_the_wall(episode.first, zone):%H:%M}")]
    panel = _panel(draw, axis, number, bars, episodes=[episode], moments=moments)
    panel.words(moments)
    most = max((bar.negative for bar in bars), default=0)
    peak = episode.peak or f"up to {most:,} negative posts {STEPS[step][0]}"
    panel.title(
        "The worst incident",
        f"called {episode.delay or 'at once'}{_after(episode)}; {peak}",
    )


def _after(episode: Episode) -> str:
    if not episode.delay:
        return ""
    return " after the first signal" if episode.signalled else " after it was noticed"


def _axis(watches: Sequence[WatchSeries], zone: tzinfo) -> TimeAxis:
    """From the first to the last moment of any watch, so that panels can be compared."""
    hours = [hour for watch in watches for hour in (*watch.hours[:1], *watch.hours[-1:])]
    start = min((hour.start for hour in hours), default=EPOCH)
    return TimeAxis(start, max((hour.end for hour in hours), default=EPOCH + HOUR), LEFT, RIGHT, zone)


def _summary(watch: WatchSeries, bars: Sequence[Bar], step: timedelta, unnamed: int) -> str:
    """A panel's figures in words."""
    worst = [episode.worst for episode in watch.episodes]
    counts = [f"{worst.count(one)} {one.name}" for one in sorted(Severity, reverse=True) if one in worst]
    if floods := sum(episode.flood for episode in watch.episodes):
        counts.append(f"of them {counted(floods, FLOOD, 'floods of copies')}")
    small = f" ({unnamed} too close to others to be named)" if unnamed else ""
    most = max((bar.negative for bar in bars), default=0)
    return f"{', '.join(counts) or 'no incident'}{small}; up to {most:,} negative posts {STEPS[step][0]}"


def _header(draw: ImageDraw.ImageDraw, heading: str, axis: TimeAxis, panels: int, left_out: int) -> None:
    draw.text((LEFT, 16), title(heading), INK, font(42))
    start, end = on_the_wall(axis.start, axis.zone), on_the_wall(axis.end, axis.zone)
    years = f"{day(start)} {start:%Y} to {day(end)} {end:%Y}, {_clocks(axis.zone)}"
    what = f"{years}; the {panels} most eventful watches, {left_out} left out" if left_out else years
    draw.text((LEFT, 94), what if panels else "No watch saw a post.", FAINT, font(SIZE), anchor="ls")
    entries = (
        (BAR, "negative posts"),
        (ABOVE, "more than usual"),
        (EXPECTED, "expected"),
        (BAND, "usual band"),
        (TINTS[Severity.NOTICE], "incident, below AMBER"),
        (TINTS[Severity.AMBER], "AMBER"),
        (TINTS[Severity.RED], "RED"),
    )
    legend(draw, LEFT, 128, entries, SIZE)


def _clocks(zone: tzinfo) -> str:
    """Whose times these are."""
    return "times in UTC" if str(zone) == "UTC" else f"times of {name(str(zone)).replace('_', ' ')}"
