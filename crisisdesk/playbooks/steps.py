"""One line of a checklist: what to do, who does it (`@Role`), and how long it may take (`(5 min)`)."""

import re
from collections.abc import Sequence
from typing import Final

from crisisdesk.playbooks.shape import Report, Step
from crisisdesk.playbooks.values import minutes, nearest

_OWNER: Final = re.compile(r"(?:^|(?<=\s))@(\w[\w&/-]*)")
_LIMIT: Final = re.compile(r"\((\d{1,5}\s?[A-Za-z]{1,9}\.?)\)")
_SMALL_WORDS: Final = frozenset({"of", "for", "and", "&", "für", "und", "der", "die"})
_LONGEST_ROLE: Final = 6
_TYPING_ERROR: Final = 0.75
"""How alike a role is to a known one when it is likely that one mistyped."""


def read_step(text: str, line: int, role: str, known: Sequence[str], report: Report) -> Step:
    """Take limit and owner out of a step's text.

    Args:
        text: what stands behind the check box.
        line: where it stands in the file.
        role: who owns the steps of this phase that name nobody, "" if nobody does.
        known: roles that the playbook names elsewhere.
        report: gets what is missing or misspelt.
    """
    limit = None
    for found in _LIMIT.finditer(text):
        limit = minutes(found[1])
        if limit is not None:
            text = text[: found.start()] + text[found.end() :]
            break
        report.warning(line, f'the limit "{found[0]}" is no length of time', "write (5 min) or (2 hours)")
    owner, text = _owner(text, line, known, report)
    text = " ".join(text.split())
    if not text:
        report.error(line, "this step is empty", "write what is to be done")
    if not (owner or role):
        report.error(
            line, f'nobody owns the step "{text[:40]}"', "end it with @Role, or put (Role) behind the heading above it"
        )
    return Step(text, limit, owner or role, line)


def _owner(text: str, line: int, known: Sequence[str], report: Report) -> tuple[str, str]:
    """The role behind @ and the text without it; a role may have several words if it is known or ends the step."""
    found = _OWNER.search(text)
    if not found:
        return "", text
    before, rest = text[: found.start()].rstrip(), text[found.start() + 1 :].strip()
    role = next((role for role in sorted(known, key=len, reverse=True) if _begins_with(rest, role)), None)
    if role is None:
        role = rest.rstrip(" .") if _is_title(rest) else found[1]
        close = nearest(role, known, _TYPING_ERROR)
        if close:
            report.warning(line, f"unknown role @{role}", f"did you mean @{close}?")
    after = rest[len(role) :]
    if not after.strip(" ."):
        return role, before
    if _OWNER.search(after):
        report.warning(line, "this step has two owners", "name the one person who answers for it, or make two steps")
    return role, f"{before} {role}{after}"


def _is_title(text: str) -> bool:
    """Whether all of it can be the name of a role: "Head of Press", "Leiterin Presse und Social Media"."""
    words = text.rstrip(" .").split()
    return len(words) <= _LONGEST_ROLE and all(word[0].isupper() or word in _SMALL_WORDS for word in words)


def _begins_with(text: str, role: str) -> bool:
    """Whether the text begins with this role as whole words."""
    return text[: len(role)].casefold() == role.casefold() and not text[len(role) : len(role) + 1].isalnum()
