"""Reposts and copies are scored once: a bounded memory in front of a model, which holds no word of what was said."""

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import blake2b
from threading import Lock
from typing import Final

from crisisdesk.sentiment.base import Model, Scores
from crisisdesk.sentiment.prepare import prepare
from crisisdesk.text import clean

ENTRIES: Final = 50_000
"""Texts that are known again: a day of a busy watch."""


class Cached:
    """A model that remembers what it said of the texts it saw last; equal after `prepare` is equal.

    Safe to call from several threads. Leave it out to measure the model itself.
    """

    def __init__(self, model: Model, entries: int = ENTRIES) -> None:
        self._model = model
        self._entries = entries
        self._known: OrderedDict[bytes, Scores] = OrderedDict()
        self._lock = Lock()
        self.hits = 0
        """Posts that needed no scoring, copies within one call included."""

    @property
    def name(self) -> str:
        """The name of the model behind it."""
        return self._model.name

    @property
    def digest(self) -> str:
        """The fingerprint of the model behind it."""
        return self._model.digest

    @property
    def languages(self) -> Sequence[str]:
        """The languages of the model behind it."""
        return self._model.languages

    def score(self, texts: Sequence[str]) -> list[Scores]:
        """What the model says of each text, in order."""
        keys = [_digest(prepare(clean(text))) for text in texts]
        with self._lock:
            scores = {key: self._known[key] for key in keys if key in self._known}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in scores}
        scores.update(zip(new, self._model.score(list(new.values())), strict=True))
        with self._lock:
            self.hits += len(texts) - len(new)
            for key in dict.fromkeys(keys):
                self._known[key] = scores[key]
                self._known.move_to_end(key)
            while len(self._known) > self._entries:
                self._known.popitem(last=False)
        return [scores[key] for key in keys]


def _digest(text: str) -> bytes:
    """By what a text is known: so long that no two have the same."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
