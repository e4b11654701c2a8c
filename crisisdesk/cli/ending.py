"""How a replay ends: its calls at a glance, what was left out and why, and what to do next."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from crisisdesk.app import App
from crisisdesk.backtest.stories import Story
from crisisdesk.cli.account import Account, day_and_time, worst_hour
from crisisdesk.cli.hindsight import budgets_line, comparison_lines
from crisisdesk.cli.terminal import put, say
from crisisdesk.console.times import Times
from crisisdesk.text import counted, how_long

if TYPE_CHECKING:
    from crisisdesk.backtest.backtest import BackTest
    from crisisdesk.backtest.compare import Outcome

CALLS_TOLD: Final = 20
"""The worst calls that are listed again; what is more stands above."""
UNHEARD_TOLD: Final = 10
LANGUAGES_TOLD: Final = 5
"""Other languages that are named with their number; the rest is in the total."""
TERMS_TOLD: Final = 5


def tell_end(
    app: App,
    account: Account,
    test: "BackTest",
    outcomes: "Sequence[Outcome]",
    *,
    bad_lines: int,
    next_steps: Sequence[str],
) -> None:
    """What a person reads at the end; on stdout what is a result, on stderr what was left out and what is next."""
    detectors = app.observation.detectors
    _tell_left_out(app)
    for told in (*_calls(test.stories.called(), account.times), *_floods(app, test.stories.floods(), account.times)):
        put(told)
    for detector in detectors.values():
        if rise := detector.slow_rise():
            put(rise.told(detector.name).en)
    for told in comparison_lines(test, outcomes) if outcomes else ():
        put(told)
    if detectors:
        put(budgets_line(test, len(detectors)))
    worst = account.worst()
    put(
        f"{counted(app.tally.posts, 'post')}, {counted(bad_lines, 'bad line')}, "
        f"{counted(len(detectors), 'watch', 'watches')}, "
        f"{counted(worst.total(), 'incident')}: "
        f"{worst['red']} red, {worst['amber']} amber, {worst['notice']} notice"
    )
    say(f"Done.{' Next: ' + '; '.join(next_steps) + '.' if next_steps else ''}")


def unheard(app: App) -> list[str]:
    """Watches of which no post spoke."""
    tally = app.tally
    return [
        name for name in app.observation.detectors if not tally.mentions[name] and not tally.other_languages.get(name)
    ]


def tell_unheard(app: App, names: Sequence[str], where: str) -> None:
    """A watch that matched nothing is not calm; it may be spelt wrongly."""
    terms = {rule.name: rule.terms for rule in app.plan.watches}
    for name in names[:UNHEARD_TOLD]:
        say(
            f"{name}: no post of the {app.tally.posts:,} in {where} speaks of it; are the terms "
            f"({_terms(terms.get(name, ()))}) spelt as people write them?"
        )
    if (more := len(names) - UNHEARD_TOLD) > 0:
        say(f"Nor does any post speak of {counted(more, 'other watch', 'other watches')}.")
    if not app.observation.detectors:
        say("Nothing was watched; name a brand and its words, such as --watch 'Motrin=motrin,#motrinmoms'.")


def _terms(terms: Sequence[str]) -> str:
    more = f", … {len(terms)} in all" if len(terms) > TERMS_TOLD else ""
    return ", ".join(terms[:TERMS_TOLD]) + more


def _tell_left_out(app: App) -> None:
    if late := sum(detector.late for detector in app.observation.detectors.values()):
        posts = counted(late, "post was", "posts were")
        say(f"{posts} older than two days on arrival and not counted; sort the file by time.")
    if apart := sum(app.tally.other_languages.values(), Counter[str]()):
        most = ", ".join(f"{language} {n:,}" for language, n in apart.most_common(LANGUAGES_TOLD))
        mentions = counted(apart.total(), "mention in another language", "mentions in other languages")
        say(f"Counted apart, calling nobody: {mentions} ({most}).")


def _calls(stories: Sequence[Story], times: Callable[[str], Times]) -> Iterator[str]:
    """Each incident with a call in one line: how it began, and how bad it became, which nobody knew then."""
    if not stories:
        return
    shown, more = _worst(stories)
    yield f"{counted(len(stories), 'incident')} with a call, from the first signal to the worst hour{more}:"
    for story in shown:
        clocks = times(story.incident.watch)
        called = f"called {day_and_time(story.calls[0], clocks)} {clocks.name(story.calls[0])}"
        first = "the first signal" if story.signal else "the first notice"
        after = f"{how_long(story.delay)} after {first}" if story.delay else "at once"
        worst = f"; worst {worst_hour(story.peak, clocks)}" if story.peak else ""
        ending = "" if story.end else "; not over when the recording ends"
        yield f"  {str(story.worst).upper():6}  {story.incident.watch}: {called}, {after}{worst}{ending}."


def _worst(stories: Sequence[Story]) -> tuple[list[Story], str]:
    """Those that are told, and that they are not all."""
    shown = sorted(stories, key=lambda story: (-story.worst, story.first))[:CALLS_TOLD]
    return shown, f"; the worst {CALLS_TOLD} of {len(stories)}" if len(stories) > CALLS_TOLD else ""


def _floods(app: App, stories: Sequence[Story], times: Callable[[str], Times]) -> Iterator[str]:
    """Each flood of copies in one line, with what it came to."""
    if not stories:
        return
    shown, more = _worst(stories)
    yield f"{counted(len(stories), 'flood of copies', 'floods of copies')}, each at its height{more}:"
    for story in shown:
        clocks, opened = times(story.incident.watch), story.incident.opened
        since = f"from {day_and_time(opened, clocks)} {clocks.name(opened)}"
        last = app.register.find(story.incident.id)  # its figures have moved on where it is not over
        yield f"  {str(story.worst).upper():6}  {last.watch}: {since}; {last.why}"
