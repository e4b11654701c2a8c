"""A desk's rules at X, kept in step with its watches: a change is worked out and tried before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from crisisdesk.errors import FatalSourceError
from crisisdesk.sources.broken import BREAKS
from crisisdesk.sources.x.answers import Denied, listed
from crisisdesk.sources.x.api import Api
from crisisdesk.sources.x.posts import Json
from crisisdesk.sources.x.rules import MAX_RULES, Difference, Rule, Topic, difference, prefix_of, rules_of, unfit
from crisisdesk.sources.x.trouble import diagnose
from crisisdesk.text import counted, shorten

NAMED: Final = 3
"""Rules that are named where X takes none of many."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done, as far as X agrees."""

    add: tuple[Rule, ...]
    remove: tuple[Rule, ...]
    there: tuple[Rule, ...]
    """The desk's rules afterwards."""
    others: tuple[Rule, ...]
    trouble: str = ""
    """What will not be heard, and what to do about it."""

    @property
    def is_full(self) -> bool:
        """Whether there is room for what is wanted only where something else was."""
        return len(self.there) + len(self.others) + len(self.remove) > MAX_RULES


class Rulebook:
    """The rules of a desk.

    Args:
        topics: what its watches look for.
        desk: its name.
        reposts: whether they are wanted, too.
    """

    def __init__(self, topics: Sequence[Topic], desk: str, *, reposts: bool) -> None:
        self.wanted = rules_of(topics, desk, reposts=reposts)
        self._prefix = prefix_of(desk)
        self._unfit = unfit(topics)

    def behind(self, frame: Json) -> list[Rule]:
        """The desk's rules that X names beside a post, as far as their tags tell."""
        tags = [one.get("tag") for one in listed(frame, "matching_rules") if isinstance(one, dict)]
        return [rule for rule in self.wanted if rule.tag in tags]

    async def plan(self, api: Api, session: aiohttp.ClientSession) -> Change:
        """What is to be done; nothing is changed.

        Raises:
            FatalSourceError: X would take no rule at all.
            aiohttp.ClientError, OSError, SourceError: X does not say.
        """
        if not self.wanted:
            raise FatalSourceError("No watch has a term that X can look for; write words, #tags, @names or phrases.")
        found, denied = await self._tried(api, session, await api.rules(session))
        refused = {value: one for value, one in denied.items() if not one.known_as}
        known = {one.known_as for one in denied.values()} - {""}
        remove = tuple(rule for rule in found.remove if rule.id not in known)
        agreed = tuple(rule for rule in found.add if rule.value not in denied)
        room = max(MAX_RULES - len(found.kept) - len(found.others), 0)
        beyond = agreed[room:]
        unheard = {*refused, *(rule.value for rule in beyond)}
        there = tuple(rule for rule in self.wanted if rule.value not in unheard)
        trouble = self._trouble(refused, beyond, len(found.others))
        if not there:
            raise FatalSourceError(f"X has no rule for any watch. {trouble}")
        return Change(agreed[:room], remove, there, found.others, trouble)

    async def _tried(
        self, api: Api, session: aiohttp.ClientSession, there: Sequence[Rule]
    ) -> tuple[Difference, dict[str, Denied]]:
        """What is to be done, and what X would not take of it: no more than single terms, since one spoils a rule."""
        while True:
            found = difference(self.wanted, there, self._prefix)
            denied = await api.add(session, found.add, dry_run=True) if found.add else {}
            spoilt = {rule.value for rule in found.add if len(rule.clauses) > 1} & {
                value for value, one in denied.items() if one.is_invalid
            }
            if not spoilt:
                return found, denied
            parts = [part for rule in self.wanted for part in (rule.halves() if rule.value in spoilt else (rule,))]
            self.wanted = tuple({part.value: part for part in parts}.values())

    async def set(self, change: Change, api: Api, session: aiohttp.ClientSession) -> None:
        """Add what is missing; what is not wanted any more stays, unless it takes the room.

        Raises:
            aiohttp.ClientError, OSError, SourceError: it did not come about.
        """
        if change.is_full:
            await api.remove(session, change.remove)
        if change.add:
            await api.add(session, change.add)

    async def tidy(self, change: Change, api: Api, session: aiohttp.ClientSession) -> str:
        """Remove what is not wanted any more, once the stream is ours: a desk that is not let in must break nothing.

        Returns:
            What went wrong; that costs only money, and the next connection tries again.
        """
        if not change.remove or change.is_full:
            return ""
        try:
            await api.remove(session, change.remove)
        except BREAKS as error:
            rules = counted(len(change.remove), "rule")
            return f"{rules} not wanted any more could not be removed ({diagnose(error, api.host, proven=True)})."
        return ""

    def _trouble(self, refused: dict[str, Denied], beyond: Sequence[Rule], others: int) -> str:
        said = [
            f"X cannot look for the term '{shorten(term, 40)}' of {watch}; write a word, #tag, @name or short phrase."
            for watch, term in self._unfit
        ]
        if refused:
            said.append(f"X does not take {_refusals(self.wanted, refused)}; write the terms of the watch otherwise.")
        if beyond:
            watches = ", ".join(dict.fromkeys(watch for rule in beyond for watch in rule.watches))
            said.append(
                f"The watches need {counted(len(self.wanted), 'rule')}, but an app has {MAX_RULES:,} at most, "
                f"{others:,} of them not this desk's: not all of {watches} is heard. Take terms out."
            )
        return " ".join(said)


def _refusals(rules: Sequence[Rule], refused: dict[str, Denied]) -> str:
    told = [
        f"'{shorten(rule.value, 80)}' of {', '.join(rule.watches)} ({refused[rule.value].reason})"
        for rule in rules
        if rule.value in refused
    ]
    more = f" and {len(told) - NAMED} more" if len(told) > NAMED else ""
    return ", ".join(told[:NAMED]) + more
