"""How a desk is doing, taken together for those who watch over it: metrics and probes."""

from collections import Counter

from crisisdesk.app import App
from crisisdesk.records import EPOCH, Event, Notification, OutputStatus
from crisisdesk.server.vitals import Vitals


class Attention:
    """Counts what happens to a desk's incidents from now on; called, it says how the desk is doing."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._changes: Counter[Event] = Counter()
        app.register.subscribe(self._count)

    def __call__(self) -> Vitals:
        app = self._app
        observed = app.observation.now
        return Vitals(
            now=app.plan.clock.now(),
            sources=app.sources(),
            outputs=self._outputs(),
            queues=app.waiting(),
            incidents=app.register.incidents(),
            changes=self._changes,
            judged_until=observed if observed > EPOCH else None,
            repeated=app.tally.repeated,
            scored=app.scoring.scored,
            unjudged=app.scoring.failed,
            scoring=app.scoring.timing,
            deciding=app.progress.timing,
            model=app.scoring.model,
            is_writable=not app.register.trouble,
            troubles=sum(1 for _ in app.troubles()) + len(app.playbook_troubles()),
        )

    def _outputs(self) -> dict[str, list[OutputStatus]]:
        """By their ways: which people an address is of is nothing for a metric."""
        ways = {one.name: one.output for one in self._app.plan.standing.current.addresses}
        found: dict[str, list[OutputStatus]] = {}
        for status in self._app.outputs():
            found.setdefault(ways.get(status.name, status.name), []).append(status)
        return found

    def _count(self, notification: Notification) -> None:
        self._changes[notification.change.event] += 1
