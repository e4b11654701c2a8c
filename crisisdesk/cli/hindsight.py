"""What a back-test says at its end: calls a month at the named budgets, and what simpler rules would have done."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from statistics import median_high
from typing import TYPE_CHECKING, Final

from crisisdesk.backtest.recording import DAYS_NEEDED, Recording
from crisisdesk.text import counted, how_long

if TYPE_CHECKING:
    from crisisdesk.backtest.backtest import BackTest
    from crisisdesk.backtest.compare import Outcome

OURS: Final = "crisisdesk"
"""The desk itself, in a comparison."""
MINUTE: Final = timedelta(minutes=1)


def budgets_line(test: "BackTest", watches: int) -> str:
    """How often the desk would have called at each named budget."""
    recording, calls, own = test.recording, test.all_calls(), test.own_budgets()
    if recording.a_month(0) is None:
        days = counted(int(recording.days), "day was", "days were")
        return f"Calls a month: too short to say; {days} recorded, at least {DAYS_NEEDED} are needed."
    rates = [
        f"{name} {_rate(recording, number)}{' (as it is set)' if name in own else ''}" for name, number in calls.items()
    ]
    together = f", all {watches} watches together" if watches > 1 else ""
    return f"Calls a month (amber or red, real crises among them) at each budget{together}: {', '.join(rates)}."


def comparison_lines(test: "BackTest", outcomes: "Sequence[Outcome]") -> Iterator[str]:
    """A table: a rule in each line, the desk first."""
    stories = test.stories.called()
    ours = sum(len(story.calls) for story in stories)
    table = [
        ("rule", "calls", "a month", "found", "after", "it calls when"),
        _row(test, OURS, ours, [story.delay for story in stories], "(this desk)"),
        *(_row(test, one.name, one.total, [one.delay(story) for story in stories], one.title) for one in outcomes),
    ]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    yield "The same counts of posts, judged by simpler rules as they come:"
    for row in table:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  " + "  ".join(cells).rstrip()
    yield (
        f"  found: of the {counted(len(stories), 'incident')} with a call, those in which the rule called too; "
        "after: the median time from the first signal to its call."
        if stories
        else "  Nobody was called, so there is nothing that they could have found."
    )


def in_hindsight(test: "BackTest", outcomes: "Sequence[Outcome]") -> dict[str, object]:
    """The same as keys of the summary line."""
    recording = test.recording
    return {
        "months": round(recording.months, 3),
        **_calls(recording, test.all_calls()),
        "calls_by_watch": {watch: test.calls(watch) for watch in test.watches},
        "delay_minutes": {story.incident.id: _minutes(story.delay) for story in test.stories.called()},
        **({"compare": _compared(test, outcomes)} if outcomes else {}),
    }


def _calls(recording: Recording, calls: dict[str, int]) -> dict[str, object]:
    """By named budget."""
    a_month = {name: recording.a_month(number) for name, number in calls.items()}
    return {"calls": calls, "calls_a_month": {name: None if n is None else round(n, 3) for name, n in a_month.items()}}


def _compared(test: "BackTest", outcomes: "Sequence[Outcome]") -> dict[str, object]:
    """By rule, the desk first: its calls, and its delay for each incident for which the desk called."""
    stories = test.stories.called()
    ours = {
        "threshold": None,
        "calls": sum(len(story.calls) for story in stories),
        "delay_minutes": {story.incident.id: _minutes(story.delay) for story in stories},
    }
    theirs = {
        outcome.name: {
            "threshold": outcome.threshold,
            "calls": outcome.total,
            "delay_minutes": {story.incident.id: _minutes(outcome.delay(story)) for story in stories},
        }
        for outcome in outcomes
    }
    return {OURS: ours, **theirs}


def _row(
    test: "BackTest", name: str, calls: int, delays: Sequence[timedelta | None], title: str
) -> tuple[str, str, str, str, str, str]:
    known = [delay for delay in delays if delay is not None]
    found, after = f"{len(known)} of {len(delays)}", how_long(median_high(known)) if known else "-"
    return name, f"{calls:,}", _rate(test.recording, calls), found, after, title


def _rate(recording: Recording, calls: int) -> str:
    rate = recording.a_month(calls)
    return "-" if rate is None else f"{rate:.1f}" if rate < 9.95 else f"{rate:.0f}"


def _minutes(delay: timedelta | None) -> float | None:
    return None if delay is None else round(delay / MINUTE, 1)
