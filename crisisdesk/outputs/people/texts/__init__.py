"""What people are told of incidents: a title for the locked telephone, and a text that says all one has to know."""

from crisisdesk.outputs.people.texts.matter import matters
from crisisdesk.outputs.people.texts.message import SHORT, message, trial
from crisisdesk.outputs.people.texts.reader import Message, Reader, Space, Tone

__all__ = ["SHORT", "Message", "Reader", "Space", "Tone", "matters", "message", "trial"]
