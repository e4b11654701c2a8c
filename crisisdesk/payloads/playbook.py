"""A playbook: what to do, step by step, and the first words to the public."""

from typing_extensions import TypedDict

from crisisdesk.playbooks.format import Playbook


class StepData(TypedDict):
    """One thing to do; `minutes` is its limit."""

    text: str
    minutes: int | None
    owner: str


class PhaseData(TypedDict):
    """Steps under one heading."""

    title: str
    role: str
    prose: str
    steps: list[StepData]


class StatementData(TypedDict):
    """First words to the public; `{{field}}` is filled in before use."""

    language: str
    channel: str
    text: str


class PlaybookData(TypedDict):
    """One situation and the answer to it; empty `kinds`, `watches` and `words` fit anything."""

    id: str
    title: str
    owner: str
    language: str
    reviewed: str
    strategy: str
    approve: list[str]
    backup: list[str]
    kinds: list[str]
    watches: list[str]
    words: list[str]
    at_least: str
    translation_of: str | None
    summary: str
    phases: list[PhaseData]
    statements: list[StatementData]


def playbook_data(book: Playbook) -> PlaybookData:
    """A playbook as it stands in its file."""
    return {
        "id": book.id,
        "title": book.title,
        "owner": book.owner,
        "language": book.language,
        "reviewed": book.reviewed.isoformat(),
        "strategy": book.strategy,
        "approve": list(book.approve),
        "backup": list(book.backup),
        "kinds": [one.value for one in book.kinds],
        "watches": list(book.watches),
        "words": list(book.words),
        "at_least": str(book.at_least),
        "translation_of": book.translation_of,
        "summary": book.summary,
        "phases": [
            {
                "title": phase.title,
                "role": phase.role,
                "prose": phase.prose,
                "steps": [{"text": one.text, "minutes": one.minutes, "owner": one.owner} for one in phase.steps],
            }
            for phase in book.phases
        ],
        "statements": [{"language": one.language, "channel": one.channel, "text": one.text} for one in book.statements],
    }
