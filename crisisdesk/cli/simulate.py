"""The command `simulate`: what the desk would do for a brand like yours, in plain words."""

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Final

import typer

from crisisdesk.cli.terminal import progress, put, put_json
from crisisdesk.errors import UsageError
from crisisdesk.settings.budget import NAMED, parse_false_alarms
from crisisdesk.settings.number import parse_number
from crisisdesk.text import clean

if TYPE_CHECKING:
    from crisisdesk.simulate.measure import Found, Rate
    from crisisdesk.simulate.yours import Answer, Question

MOST_POSTS: Final = 1_000_000
NINETEEN_IN_TWENTY: Final = 1.96
"""Standard errors."""
OFTEN: Final = 0.7
"""A month; what is rarer is said as one in so many months."""
WORDS: Final = {2: "doubled", 3: "3 times", 5: "5 times", 10: "10 times"}
_SHARE: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,4})?)\s*(%?)", re.ASCII)
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def parse_share(text: str) -> float:
    """Read a share of negative posts: "20%" or 0.2.

    Raises:
        UsageError: it cannot be read, or is not between 1 and 95 %.
    """
    if match := _SHARE.fullmatch(text.strip()):
        number = float(match[1].replace(",", "."))
        share = number / 100 if match[2] or number > 1 else number
        if 0.01 <= share <= 0.95:
            return share
    raise UsageError(f"'{clean(text, 40)}' is no share of negative posts; write 20% or 0.2, between 1% and 95%")


def parse_posts(text: str) -> float:
    """Read posts a day: 500, 1.500 or 1,500.

    Raises:
        typer.BadParameter: it is no number from 1 to 1,000,000.
    """
    with suppress(ValueError):
        if 1 <= (posts := parse_number(text)) <= MOST_POSTS:
            return posts
    raise typer.BadParameter(f"{clean(text, 40)!r} is no number of posts from 1 to {MOST_POSTS:,}.")


def simulate(
    *,
    posts_per_day: Annotated[
        float, typer.Option(metavar="N", parser=parse_posts, help="How many posts speak of your brand a day.")
    ],
    negative: Annotated[str, typer.Option(metavar="20%", help="How many of them are usually negative.")] = "25%",
    alerts: Annotated[
        str, typer.Option(help='False alarms that you would bear, as `false_alarms` of a watch: "1 per month".')
    ] = "1 per month",
    brands: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="How many brands to simulate; more take longer and say it more exactly."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Another number draws other brands.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Measure by simulation what the desk would do for a brand like yours: false alarms, and crises found.

    Draws brands with as many posts, plays nine weeks of each to the real detector, and counts: false alarms a month in
    weeks without a crisis, and how soon crises are found in which negative posts are 2, 3, 5 and 10 times as many as
    usual. Takes about a minute on two processors.
    """
    from crisisdesk.simulate.yours import Question, ask, enough  # noqa: PLC0415 - numpy, which only this needs

    budget = parse_false_alarms(alerts)
    number = brands or enough(posts_per_day)
    question = Question(posts_per_day, parse_share(negative), budget, number, seed)
    budgets = dict(sorted(NAMED.items(), key=lambda item: item[1]))
    if budget not in budgets.values():
        budgets["yours"] = budget
    with progress("simulating", 1.0) as advance:
        answer = ask(question, tuple(budgets.values()), advance.to)
    if as_json:
        put_json(_record(question, budgets, answer))
    else:
        put("\n".join(_lines(question, budgets, alerts, answer)))


def _lines(question: "Question", budgets: dict[str, float], alerts: str, answer: "Answer") -> Iterator[str]:
    months = next(iter(answer.false_alarms.values())).months
    yield (
        f"{question.brands} simulated brands with {question.posts_per_day:,.6g} posts a day, "
        f"{100 * question.share:.3g}% of them negative; {months:.0f} months of everyday life."
    )
    yield ""
    yield "False alarms, which call somebody though nothing has happened:"
    yield "budget      you ask for      the simulated brands had"
    for name, budget in budgets.items():
        yield f"{name:<10}  {_often(budget):<15}  {_had(answer.false_alarms[budget], budget)}"
    yield from _why_more(question, budgets, answer)
    yield ""
    yield f'Crises that last six hours, at "{clean(alerts, 40)}":'
    yield "negative posts   found within 6 hours         half of them were called within"
    for times, found in answer.crises.items():
        yield f"{WORDS[times]:<15}  {_part(found):<27}  {_soon(found)}"
    yield ""
    yield "Ranges are what chance alone may have moved in this simulation, 19 times in 20; more --brands narrow them."
    yield "Real people surprise in ways that no simulation has: `crisisdesk replay` on your own posts says more."


def _often(a_month: float) -> str:
    """`4 a month`, `1 in 3 months`."""
    if a_month < OFTEN:
        return f"1 in {1 / a_month:.0f} months" if a_month > 0 else "none"
    return f"{a_month:.0f} a month" if a_month >= 9.95 else f"{a_month:.1f}".removesuffix(".0") + " a month"


def _had(rate: "Rate", asked: float) -> str:
    """What came, its range, and whether that is more than was asked for."""
    if not rate.a_month:
        return f"none (fewer than {_often(3 / rate.months)})"  # the rule of three
    low, high = _range(rate)
    more = ": more than you ask for" if low > asked else ""
    return f"{_often(rate.a_month)} (between {_often(low)} and {_often(high)}){more}"


def _range(rate: "Rate") -> tuple[float, float]:
    return max(0.0, rate.a_month - NINETEEN_IN_TWENTY * rate.error), rate.a_month + NINETEEN_IN_TWENTY * rate.error


def _why_more(question: "Question", budgets: dict[str, float], answer: "Answer") -> Iterator[str]:
    """What to make of it where the asked budget is overspent."""
    rate = answer.false_alarms[question.budget]
    if _range(rate)[0] <= question.budget:
        return
    within = [name for name, budget in budgets.items() if answer.false_alarms[budget].a_month <= question.budget]
    cure = f' To stay within it, write false_alarms = "{within[-1]}".' if within else ""
    yield f"One threshold serves brands of all sizes; for those like yours it is too low for what you ask.{cure}"


def _part(found: "Found") -> str:
    if not found.crises:
        return "none was simulated"
    error = NINETEEN_IN_TWENTY * found.error
    return f"{found.part:.0%} (between {max(0.0, found.part - error):.0%} and {min(1.0, found.part + error):.0%})"


def _soon(found: "Found") -> str:
    if not found.crises:
        return "-"
    if not math.isfinite(found.minutes):
        return "- (fewer than half were found)"
    return f"{found.minutes:.0f} min" if found.minutes < 90 else f"about {round(found.minutes / 30) / 2:g} h"


def _record(question: "Question", budgets: dict[str, float], answer: "Answer") -> dict[str, object]:
    return {
        "posts_per_day": question.posts_per_day,
        "negative_share": question.share,
        "budget": question.budget,
        "brands": question.brands,
        "seed": question.seed,
        "months": round(next(iter(answer.false_alarms.values())).months, 2),
        "false_alarms": [
            {"budget": name, "wanted": budget, "a_month": round(rate.a_month, 4), "error": round(rate.error, 4)}
            for name, budget in budgets.items()
            for rate in (answer.false_alarms[budget],)
        ],
        "crises": [
            {
                "times": times,
                "simulated": found.crises,
                "found": round(found.part, 4) if found.crises else None,
                "error": round(found.error, 4) if found.crises else None,
                "minutes": found.minutes if math.isfinite(found.minutes) else None,
            }
            for times, found in answer.crises.items()
        ],
    }


def add_to(commands: typer.Typer) -> None:
    """Make the command known."""
    commands.command()(simulate)
