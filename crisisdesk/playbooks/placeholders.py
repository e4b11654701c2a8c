"""`{{field}}` in a playbook: what is filled in or asked for before words go out."""

import re
from collections.abc import Sequence
from typing import Final

from crisisdesk.playbooks.shape import Report
from crisisdesk.playbooks.values import nearest

FIELDS: Final = (
    "batch", "campaign", "change", "company", "date", "email", "hotline", "known", "link", "name", "next_update",
    "opened", "place", "product", "role", "service", "since", "topic", "watch", "workaround",
)  # fmt: skip
"""Names that mean the same in every playbook; `playbooks/README.md` explains them."""
_PLACEHOLDER: Final = re.compile(r"\{\{([^{}]*)(\}\})?")
_SINGLE_BRACES: Final = re.compile(r"(?<!\{)\{([a-z][a-z_ ]{0,40})\}(?!\})")
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]*")
_TYPING_ERROR: Final = 0.85
"""How alike a word is to a known one when it is surely that one mistyped; "update" and "date" are 0.8."""


def check_placeholders(lines: Sequence[str], start: int, report: Report) -> None:
    """Report placeholders that are misspelt, unknown or not closed, in the lines from index `start` on."""
    for number, line in enumerate(lines[start:], start=start + 1):
        for found in _PLACEHOLDER.finditer(line):
            _check_placeholder(found[1].strip(), number, report, closed=bool(found[2]))
        for found in _SINGLE_BRACES.finditer(line):
            report.warning(
                number, f"{found[0]} is not filled in", f"write {{{{{found[1].strip().replace(' ', '_')}}}}}"
            )


def _check_placeholder(name: str, line: int, report: Report, *, closed: bool) -> None:
    close = nearest(name, FIELDS)
    if not closed:
        report.error(line, "a placeholder is not closed", "write {{name}}, with two brackets on both sides")
    elif not _FIELD.fullmatch(name):
        plain = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "name"
        report.error(
            line, f'"{{{{{name}}}}}" is not a placeholder', f"small letters and _ only, such as {{{{{plain}}}}}"
        )
    elif name not in FIELDS and nearest(name, FIELDS, _TYPING_ERROR):
        report.error(line, f"unknown placeholder {{{{{name}}}}}", f"did you mean {{{{{close}}}}}?")
    elif name not in FIELDS:
        hint = f"did you mean {{{{{close}}}}}?" if close else "known: " + ", ".join(FIELDS) + "."
        report.warning(
            line, f"unknown placeholder {{{{{name}}}}}", f"{hint} If not, people will be asked for it by this name"
        )
