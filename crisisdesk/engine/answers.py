"""The answer queue of a desk: made of its watches, with what tells copies from one another."""

from collections.abc import Collection, Iterable
from datetime import tzinfo

from crisisdesk.detect.alike import are_alike, sketch
from crisisdesk.detect.phrases import spoken
from crisisdesk.inquiries.brand import Brand
from crisisdesk.inquiries.queue import Queue
from crisisdesk.match import WatchRule
from crisisdesk.storage.inquiries import KeptInquiries
from crisisdesk.storage.store import Store


async def answer_queue(
    store: Store, rules: Iterable[WatchRule], answered: Collection[str], zone: tzinfo | None, *, recorded: bool = False
) -> Queue:
    """The queue as an earlier run has left it.

    Args:
        store: where it survives.
        rules: of all watches.
        answered: names of those whose posts are looked through.
        zone: by whose clocks a day begins.
        recorded: what comes is played.
    """
    brands = {rule.name: Brand(rule.accounts, rule.terms) for rule in rules if rule.name in answered}
    queue = Queue(
        KeptInquiries(store),
        brands,
        sketch=lambda text: sketch(spoken(text)),
        alike=are_alike,
        zone=zone,
        recorded=recorded,
    )
    await queue.load()
    return queue
