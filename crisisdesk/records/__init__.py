"""What flows through the desk: Post > Mention > Scored > Spike > Incident > Notification.

All records are frozen and hold plain values, so that every stage may keep them, hand them on and compare them.
Times are aware datetimes in UTC. Texts were cleaned at the edge (`crisisdesk.text.clean`).
"""

from crisisdesk.records.access import Role, Visitor
from crisisdesk.records.calling import Calling, Cause, Silence
from crisisdesk.records.evidence import SIGNALS, Chosen, Evidence, Phrase, Quote
from crisisdesk.records.incident import (
    WAVE_ENDS_AFTER,
    Change,
    Event,
    Incident,
    Kind,
    Notification,
    Numbers,
    PlaybookRef,
    Spike,
    State,
    Verdict,
)
from crisisdesk.records.inquiry import Answering, Inquiry, Need, Stage
from crisisdesk.records.post import ERASED, TAKEN_BACK, Correction, Label, Mention, Post, Scored, account, named_in
from crisisdesk.records.scope import is_for
from crisisdesk.records.severity import Severity
from crisisdesk.records.status import TOLD_FOR, Foreseen, OutputStatus, SourceStatus
from crisisdesk.records.times import EPOCH, stamp

__all__ = [
    "EPOCH",
    "ERASED",
    "SIGNALS",
    "TAKEN_BACK",
    "TOLD_FOR",
    "WAVE_ENDS_AFTER",
    "Answering",
    "Calling",
    "Cause",
    "Change",
    "Chosen",
    "Correction",
    "Event",
    "Evidence",
    "Foreseen",
    "Incident",
    "Inquiry",
    "Kind",
    "Label",
    "Mention",
    "Need",
    "Notification",
    "Numbers",
    "OutputStatus",
    "Phrase",
    "PlaybookRef",
    "Post",
    "Quote",
    "Role",
    "Scored",
    "Severity",
    "Silence",
    "SourceStatus",
    "Spike",
    "Stage",
    "State",
    "Verdict",
    "Visitor",
    "account",
    "is_for",
    "named_in",
    "stamp",
]
