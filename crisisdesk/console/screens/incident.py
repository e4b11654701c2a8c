"""One incident in full: evidence, playbook, timeline, side by side or one at a time."""

import asyncio
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content

from crisisdesk.console.paint import plain
from crisisdesk.console.screens.incident_keys import IncidentKeys
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.chart import Chart
from crisisdesk.console.widgets.evidence import evidence_page, figures_line, headline_page
from crisisdesk.console.widgets.guide import playbook_page, timeline_page
from crisisdesk.console.widgets.page import Line, Page
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.desk import Desk, Picture
from crisisdesk.records import Incident, Kind

PANES = ("evidence", "playbook", "timeline")


class IncidentScreen(IncidentKeys):
    """Everything that is known about one incident, and what to do about it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back", id="back", tooltip="Back to the desk"),
        Binding("1", "pane('evidence')", "Evidence", show=False, tooltip="Why it is an incident"),
        Binding(
            "2,p",
            "pane('playbook')",
            "Playbook",
            id="playbook",
            show=False,
            key_display="p",
            tooltip="What to do, step by step",
        ),
        Binding("3,t", "pane('timeline')", "Timeline", show=False, tooltip="What has happened so far"),
        Binding("tab", "app.focus_next", "Next pane", show=False, tooltip="Go to the next pane"),
    ]

    def __init__(self, desk: Desk, person: str, times: Times, incident: Incident, pane: str) -> None:
        super().__init__(desk, person, times)
        self._last = incident
        self._pane = pane
        self._stale = asyncio.Event()

    def compose_body(self) -> ComposeResult:
        yield Sheet(id="headline")
        yield Sheet(id="tabs")
        with Horizontal(id="body"):
            with VerticalScroll(id="evidence", classes="panel") as evidence:
                evidence.border_title = "1 Evidence"
                yield Sheet(id="figures")
                yield Chart(self._times, id="chart")
                yield Sheet(id="facts")
            with Vertical(id="right"):
                with VerticalScroll(id="playbook", classes="panel") as playbook:
                    playbook.border_title = "2 Playbook"
                    yield Sheet(id="steps")
                with VerticalScroll(id="timeline", classes="panel") as timeline:
                    timeline.border_title = "3 Timeline"
                    yield Sheet(id="changes")

    def on_mount(self) -> None:
        self.action_pane(self._pane)
        self._keep_guide()

    @property
    def incident(self) -> Incident:
        return self._last

    def show(self, picture: Picture) -> None:
        super().show(picture)
        self._last = incident = next((i for i in picture.incidents if i.id == self._last.id), self._last)
        watch = next((watch for watch in picture.watches if watch.name == incident.watch), None)
        zone, prospect = watch.zone if watch else None, picture.prospect(incident.id)
        self.query_one("#headline", Sheet).put(headline_page(incident, prospect, picture.now, self._times, zone))
        self.query_one("#figures", Sheet).put(Page([figures_line(incident, self._times)]))
        self.query_one("#evidence").set_class(incident.kind is not Kind.SPIKE, "-no-chart")
        self.query_one(Chart).show(watch, incident)
        self.query_one("#facts", Sheet).put(evidence_page(incident, self._times))
        self._stale.set()

    def action_pane(self, name: str) -> None:
        """Show a pane, where there is room for one only, and move the focus to it."""
        for pane in PANES:
            self.set_class(pane == name, f"-at-{pane}")
        marks = [
            Content.styled(f" {n} {pane.title()} ", "reverse" if pane == name else "")
            for n, pane in enumerate(PANES, 1)
        ]
        self.query_one("#tabs", Sheet).put(Page([Line(Content(" ").join(marks))]))
        self.query_one(f"#{name}").focus()

    @work(group="guide", exclusive=True)
    async def _keep_guide(self) -> None:
        """Fetch playbook and timeline again whenever the picture has changed: an edited playbook is live at once."""
        steps, timeline = self.query_one("#steps", Sheet), self.query_one("#changes", Sheet)
        while True:
            await self._stale.wait()
            self._stale.clear()
            try:
                book = await self._desk.playbook(self._last.id)
                changes = await self._desk.timeline(self._last.id)
            except Exception as error:  # noqa: BLE001 - shown; the next picture tries again
                timeline.put(Page([Line(plain(f"Playbook and timeline cannot be read: {error}", "$warning"))]))
                continue
            steps.put(playbook_page(book, self._last.playbook))
            timeline.put(timeline_page(changes, self._times))
