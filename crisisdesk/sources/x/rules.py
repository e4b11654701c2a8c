"""The rules of the filtered stream that the watches need. Rules outlive connections, and an app's are shared by all.

A desk knows its own by their tag, `crisisdesk/<desk>/<watch>`, and leaves all others alone. What a watch does *not*
want is no part of a rule: X also reads the post that is quoted, and would keep away what the desk wants to hear.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from crisisdesk.records import Post
from crisisdesk.sources.x.terms import author_clause, clauses_of

RULE_LENGTH: Final = 512
"""Characters of a rule. Streams take 1,024, but the same rules are searched for and counted, where 512 is the limit."""
MAX_RULES: Final = 1_000
"""Rules of an app, all desks' and programmes' together."""
MAX_TAG: Final = 100
NO_REPOSTS: Final = " -is:retweet"


@dataclass(frozen=True, slots=True)
class Topic:
    """What a watch looks for."""

    name: str
    terms: tuple[str, ...]
    accounts: tuple[str, ...] = ()
    """The brand's own, whose posts are wanted, too; those that are not of X are passed over."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule; X has each `value` once only, whatever its tag."""

    value: str
    tag: str = ""
    id: str = ""
    """X's own; empty until it is there."""
    clauses: tuple[str, ...] = ()
    """What it asks for, any of it; empty where others made it."""
    watches: tuple[str, ...] = ()
    """Whose it is; empty where others made it."""

    def halves(self) -> "tuple[Rule, ...]":
        """Two rules that ask for the same together; itself where that cannot be."""
        ending = NO_REPOSTS if self.value.endswith(NO_REPOSTS) else ""
        middle = len(self.clauses) // 2
        if not middle:
            return (self,)
        parts = self.clauses[:middle], self.clauses[middle:]
        return tuple(replace(self, value=_joined(part, ending), clauses=part) for part in parts)

    def is_met_by(self, post: Post) -> bool:
        """Whether a post is asked for by what it says itself, or by its author."""
        words = "|".join(re.escape(clause.strip('"')) for clause in self.clauses)
        said = re.search(rf"(?<!\w)(?:{words})(?!\w)", post.text.lower())
        return said is not None or author_clause(post.author or "") in self.clauses


def watches_that_find(quote: Post, rules: Iterable[Rule]) -> tuple[str, ...]:
    """The watches whose rules have found a post of the stream only by what it quotes; searches do not look there.

    What its own words have found is left to the watch, which may not want it.
    """
    found, met = dict[str, None](), set[str]()
    for rule in rules:
        found |= dict.fromkeys(rule.watches)
        met |= {*rule.watches} if rule.is_met_by(quote) else set()
    return tuple(watch for watch in found if watch not in met)


def prefix_of(desk: str) -> str:
    """How the tags of a desk's rules begin."""
    return f"crisisdesk/{desk}/"


def rules_of(topics: Iterable[Topic], desk: str, *, reposts: bool = False) -> tuple[Rule, ...]:
    """The rules that bring what watches look for, each value once, in the order of the watches."""
    rules: dict[str, Rule] = {}
    for topic in topics:
        tag = (prefix_of(desk) + topic.name)[:MAX_TAG]
        for value, clauses in _packed(_wanted(topic), "" if reposts else NO_REPOSTS):
            rule = rules.setdefault(value, Rule(value, tag, clauses=clauses))
            rules[value] = replace(rule, watches=(*rule.watches, topic.name))
    return tuple(rules.values())


def unfit(topics: Iterable[Topic]) -> list[tuple[str, str]]:
    """Watches and those of their terms that no rule can hold: they are too long, or have no words."""
    return [(topic.name, term) for topic in topics for term in topic.terms if not any(map(_fits, clauses_of(term)))]


@dataclass(frozen=True, slots=True)
class Difference:
    """What has to be done so that a desk's rules are there."""

    add: tuple[Rule, ...]
    remove: tuple[Rule, ...]
    kept: tuple[Rule, ...]
    """Wanted and there, whosever they are."""
    others: tuple[Rule, ...]
    """Those of others that this desk does not need; what they bring comes down the same stream, and is billed."""


def difference(wanted: Sequence[Rule], there: Sequence[Rule], prefix: str) -> Difference:
    """What has to be done, by the rules that are there."""
    values, present = {rule.value for rule in wanted}, {rule.value for rule in there}
    return Difference(
        add=tuple(rule for rule in wanted if rule.value not in present),
        remove=tuple(rule for rule in there if rule.value not in values and rule.tag.startswith(prefix)),
        kept=tuple(rule for rule in there if rule.value in values),
        others=tuple(rule for rule in there if rule.value not in values and not rule.tag.startswith(prefix)),
    )


def _wanted(topic: Topic) -> list[str]:
    own = [clause for account in topic.accounts if (clause := author_clause(account)) is not None]
    words = [clause for term in topic.terms for clause in clauses_of(term) if _fits(clause)]
    return list(dict.fromkeys([*words, *own]))


def _fits(clause: str) -> bool:
    return len(clause) + len(NO_REPOSTS) <= RULE_LENGTH


def _packed(clauses: Sequence[str], ending: str) -> list[tuple[str, tuple[str, ...]]]:
    """As few rules as hold all clauses, each with those that it holds."""
    groups: list[list[str]] = []
    for clause in clauses:
        if groups and len(_joined([*groups[-1], clause], ending)) <= RULE_LENGTH:
            groups[-1].append(clause)
        else:
            groups.append([clause])
    return [(_joined(group, ending), tuple(group)) for group in groups]


def _joined(clauses: Sequence[str], ending: str) -> str:
    joined = " OR ".join(clauses)
    return f"({joined}){ending}" if ending and len(clauses) > 1 else joined + ending
