"""An edge for broken input: what comes through it must be sound, however broken it came."""

from edges import Taken
from fuzz_webhook import holds

from crisisdesk.records import Correction
from crisisdesk.sources.bodies import Body


class Counting(Taken):
    """Sees that what is handed over is sound, and keeps nothing of it."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = self.corrected = 0

    def check(self) -> None:
        assert holds(Body(tuple(self.posts))), self.posts
        assert all(map(_is_sound, self.corrections)), self.corrections
        self.sent += len(self.posts)
        self.corrected += len(self.corrections)
        self.posts.clear()
        self.corrections.clear()


def _is_sound(correction: Correction) -> bool:
    return all(text.isprintable() and "\u202e" not in text for text in (correction.id, correction.text or ""))
