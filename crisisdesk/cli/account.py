"""What a recording has brought: each change as it comes, for people or machines, and the summary at the end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from crisisdesk.app import App
from crisisdesk.backtest.stories import Peak, Stories, Story
from crisisdesk.cli.terminal import GREENWICH, event_line, put, put_json
from crisisdesk.console.times import Times
from crisisdesk.payloads.incident import line
from crisisdesk.records import Event, Incident, Notification, Quote, Severity
from crisisdesk.text import clean, counted, how_long, shorten

RISES: Final = frozenset({Event.OPENED, Event.RAISED, Event.REOPENED})
TOLD: Final = RISES | {Event.SUBSIDED, Event.RESOLVED}
PHRASES_TOLD: Final = 5
QUOTED: Final = 180
"""Characters of a post."""
HARDLY_ANY: Final = 0.5
"""Usual posts of an hour, below which nothing is a multiple of them."""
MANIFOLD: Final = 2.0
"""From this on, how many times as many says more than how many are usual."""
INDENT: Final = " " * 4


@dataclass(slots=True)
class Account:
    """Prints each change as it comes, with `evidence` also what a person needs to judge it."""

    as_json: bool
    evidence: bool = False
    times: Callable[[str], Times] = lambda _: GREENWICH
    """By which clocks people read about a watch."""
    stories: Stories = field(default_factory=Stories)

    def __call__(self, notification: Notification) -> None:
        """Take in one change."""
        if notification.change.event not in TOLD:
            return
        story = self.stories.take(notification)
        if self.as_json:
            put_json(line(notification))
            return
        times = self.times(notification.incident.watch)
        put(event_line(notification, times))
        for told in _details(notification, story, times) if self.evidence else ():
            put(INDENT + clean(told))

    def first(self, severity: Severity) -> datetime | None:
        """When an incident was first at least so bad."""
        moments = (time for story in self.stories.called() for time, bad in story.levels if (bad or 0) >= severity)
        return min(moments, default=None)

    def worst(self) -> Counter[str]:
        """How many incidents were how bad at their worst."""
        return Counter(str(story.worst) for story in self.stories.all())

    def summary(self, app: App, bad_lines: int) -> dict[str, object]:
        """The last line of `--json`."""
        by_watch: dict[str, Counter[str]] = {name: Counter() for name in app.observation.detectors}
        for story in self.stories.all():
            by_watch[story.incident.watch].update(("incidents", str(story.worst)))
        return {
            "event": "summary",
            "posts": app.tally.posts,
            "bad_lines": bad_lines,
            "incidents": len(self.stories.all()),
            "watches": {
                name: {
                    "posts": app.tally.mentions[name],
                    "negative": app.tally.negative[name],
                    "late": app.observation.detectors[name].late,
                    "other_languages": dict(app.tally.other_languages.get(name, Counter()).most_common()),
                    "slow_rise": rise.told(name).en if (rise := app.observation.detectors[name].slow_rise()) else None,
                    **{key: found[key] for key in ("incidents", "notice", "amber", "red")},
                }
                for name, found in by_watch.items()
            },
        }


def _details(notification: Notification, story: Story, times: Times) -> list[str]:
    """When it began, what they say, and one post; after its end, how long it lasted."""
    change, incident = notification.change, notification.incident
    if change.event is Event.RESOLVED:
        worst = f"Worst {worst_hour(story.peak, times)}. " if story.peak else ""
        worst = f"At its height: {story.flood} " if story.flood else worst
        lasted = f"{how_long(change.time - story.first)}{' from the first signal' if story.signal else ''}"
        return [f"{worst}Lasted {lasted}; {str(story.worst).upper()} at its worst."]
    if change.event not in RISES:
        return []
    said = _phrases(incident)
    decisive = next(iter(incident.evidence.posts), None)
    return [
        *([_beginning(story, change.time, story.signal, times)] if story.signal else ()),
        *([f"New in them: {said}."] if said else ()),
        *([_quoted(decisive, times)] if decisive else ()),
    ]


def worst_hour(peak: Peak, times: Times) -> str:
    """`on Sun 16 Nov 20:10: 120 negative posts within 60 minutes, 12 times as many as usual`."""
    return f"on {day_and_time(peak.time, times)}: {how_many(peak)}"


def how_many(peak: Peak) -> str:
    """`120 negative posts within 60 minutes, 12 times as many as usual`."""
    posts = f"{counted(peak.negative, 'negative post')} within 60 minutes"
    if peak.expected < HARDLY_ANY:
        usual = "where hardly any are usual"
    elif (ratio := peak.negative / peak.expected) >= MANIFOLD:
        usual = f"{ratio:.0f} times as many as usual"
    else:
        usual = f"where {peak.expected:.0f} are usual"
    return f"{posts}, {usual}"


def day_and_time(moment: datetime, times: Times) -> str:
    """`Sun 16 Nov 20:10`, where the zone is named nearby."""
    return f"{times.local(moment):%a} {times.local(moment).day} {times.local(moment):%b %H:%M}"


def _beginning(story: Story, now: datetime, signal: Quote, times: Times) -> str:
    by = f" by {signal.author}" if signal.author else ""
    what = "this call" if story.calls and story.calls[-1] == now else "this"
    before = f"{how_long(now - story.first)} before {what}" if now > story.first else f"at once with {what}"
    return f"First signal {day_and_time(story.first, times)}{by}, {before}."


def _phrases(incident: Incident) -> str:
    """With how many people say each; nothing where the reason names them all."""
    phrases = incident.evidence.phrases[:PHRASES_TOLD]
    if all(phrase.text in incident.why for phrase in phrases):
        return ""
    return ", ".join(f"{phrase.text} ({phrase.posts})" for phrase in phrases)


def _quoted(post: Quote, times: Times) -> str:
    author = post.author or "unknown"
    reach = f", {counted(post.reach, 'follower')}" if post.reach else ""
    copies = f", {post.copies:,} such posts" if post.copies > 1 else ""
    return f"“{shorten(post.text, QUOTED)}” ({author}, {day_and_time(post.time, times)}{reach}{copies})"
