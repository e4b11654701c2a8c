"""What is told of an incident where the outside takes no long messages: all of it but the long texts."""

from dataclasses import replace
from typing import Any

from crisisdesk.payloads.events import CloudEvent
from crisisdesk.text import shorten


def shortened(event: CloudEvent, characters: int) -> CloudEvent:
    """The same event with no more than so many characters of each quoted post; with 0 it quotes none.

    Its evidence says `shortened`, so that nobody takes it for all there is.
    """
    incident = event.data["incident"]
    evidence = incident["evidence"]
    quotes: dict[str, Any] = {"posts": [], "signals": [], "first": None}
    if characters:
        quotes = {
            "posts": [_cut(post, characters) for post in evidence["posts"]],
            "signals": [_cut(post, characters) for post in evidence["signals"]],
            "first": _cut(evidence["first"], characters) if evidence["first"] else None,
        }
    told = {**incident, "evidence": {**evidence, **quotes, "shortened": True}}
    return replace(event, data={**event.data, "incident": told})


def _cut(post: dict[str, Any], characters: int) -> dict[str, Any]:
    return {**post, "text": shorten(post["text"], characters)}
