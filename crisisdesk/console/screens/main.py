"""The desk at a glance: incidents, watches, what people write, and why the selected incident is one."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content

from crisisdesk.console.lasting import lasting
from crisisdesk.console.paint import plain
from crisisdesk.console.screens.answers import AnswersScreen
from crisisdesk.console.screens.desk_screen import DeskScreen
from crisisdesk.console.screens.dialogs import Reading
from crisisdesk.console.screens.incident import IncidentScreen
from crisisdesk.console.screens.incident_keys import IncidentKeys
from crisisdesk.console.times import Times
from crisisdesk.console.widgets.answers import AnswerLine
from crisisdesk.console.widgets.chart import Chart
from crisisdesk.console.widgets.evidence import brief_page, decisive_page, glance_page
from crisisdesk.console.widgets.keyed_list import KeyedList
from crisisdesk.console.widgets.lists import Feed, IncidentList, WatchList
from crisisdesk.console.widgets.page import Line, Page
from crisisdesk.console.widgets.sheet import Sheet
from crisisdesk.console.widgets.watch import CHECK_TERMS, NO_SOURCE, WHILE_LEARNING, watch_details
from crisisdesk.console.widgets.watch_row import known, unheard
from crisisdesk.desk import Picture, WatchPicture
from crisisdesk.records import EPOCH, Incident, Kind


class MainScreen(IncidentKeys):
    """Three lists and the selected incident beside them."""

    AUTO_FOCUS = "#incidents"
    BINDINGS: ClassVar[list[BindingType]] = [
        # Not at the bottom, where eighty cells hold no more: the title of the panel below the list says it.
        Binding("enter", "open('evidence')", "Open", id="open", show=False, tooltip="All of it: incident or watch"),
        Binding("p", "open('playbook')", "Playbook", id="playbook", tooltip="The incident's playbook, step by step"),
        # Nor is it at the bottom: the line that says how many posts wait begins with it.
        Binding("w", "answers", "Answers", id="answers", show=False, tooltip="Posts that wait for an answer"),
        Binding("1", "go('incidents')", "Incidents", show=False, tooltip="Go to the incidents"),
        Binding("2", "go('watches')", "Watches", show=False, tooltip="Go to the watches"),
        Binding("3", "go('feed')", "Mentions", show=False, tooltip="Go to the mentions"),
        Binding("tab", "app.focus_next", "Next list", show=False, tooltip="Go to the next list"),
    ]

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield IncidentList(self._times, id="incidents", classes="panel")
                with Vertical(id="detail", classes="panel"):
                    yield Sheet(id="brief")
                    yield Sheet(id="glance")
                    yield Chart(self._times, id="chart")
                    yield Sheet(id="decisive")
            with Vertical(id="right"):
                yield WatchList(self._times, id="watches", classes="panel")
                yield Feed(self._times, id="feed", classes="panel")
        yield AnswerLine()

    @property
    def incident(self) -> Incident | None:
        cursor = self.query_one(IncidentList).cursor
        return next((i for i in self.picture.incidents if i.id == cursor), None)

    def show(self, picture: Picture) -> None:
        super().show(picture)
        self.query_one(IncidentList).show(picture)
        self.query_one(WatchList).show(picture)
        self.query_one(Feed).show(picture)
        self.query_one(AnswerLine).show(picture)
        self._show_detail()

    def on_keyed_list_moved(self) -> None:
        if self.app.is_running:
            self._show_detail()

    async def on_keyed_list_chosen(self, event: KeyedList.Chosen) -> None:
        if isinstance(event.list, IncidentList | WatchList):
            await self.action_open("evidence")

    async def action_open(self, pane: str) -> None:
        """Open the selected incident at a pane; with the focus on the watches, evidence is that of a watch."""
        if pane == "evidence" and self.query_one(WatchList).has_focus:
            await self._open_watch()
        elif incident := self._chosen():
            screen = IncidentScreen(self._desk, self._person, self._times, incident, pane)
            screen.set_reactive(DeskScreen.picture, self.picture)
            await self.app.push_screen(screen)

    async def action_answers(self) -> None:
        """Show the posts that wait for an answer."""
        screen = AnswersScreen(self._desk, self._person, self._times)
        screen.set_reactive(DeskScreen.picture, self.picture)
        await self.app.push_screen(screen)

    async def _open_watch(self) -> None:
        cursor = self.query_one(WatchList).cursor
        if watch := next((one for one in self.picture.watches if one.name == cursor), None):
            await self.app.push_screen(
                Reading(plain(watch.name, cells=40).plain, self.picture, lambda picture: self._details(watch, picture))
            )

    def _details(self, opened: WatchPicture, picture: Picture) -> Page:
        """A watch as it is now; one that is gone stays as it was when it was opened."""
        watch = next((one for one in picture.watches if one.name == opened.name), opened)
        ended = lasting(watch, picture)
        return watch_details(watch, picture.now, self._times, deaf=picture.is_deaf, ended=ended)

    def action_go(self, name: str) -> None:
        """Move the focus to one of the lists."""
        self.query_one(f"#{name}").focus()

    def _show_detail(self) -> None:
        incident, watch = self.incident, self._watch()
        detail = self.query_one("#detail")
        detail.set_class(incident is None, "-calm")
        detail.set_class(incident is not None and incident.kind is not Kind.SPIKE, "-no-chart")
        detail.border_title = _title(incident)
        self.query_one(Chart).show(watch, incident)
        glance, brief, decisive = (self.query_one(f"#{name}", Sheet) for name in ("glance", "brief", "decisive"))
        if incident:
            glance.put(glance_page(incident, self._times))
            brief.put(brief_page(incident))
            decisive.put(decisive_page(incident, self._times))
        else:
            for static in (glance, brief):
                static.put(calm_page(self.picture, self._times))
            decisive.put(Page())

    def _watch(self) -> WatchPicture | None:
        """The incident's watch, or without one the selected watch."""
        name = self.incident.watch if self.incident else self.query_one(WatchList).cursor
        return next((watch for watch in self.picture.watches if watch.name == name), None)


def _title(incident: Incident | None) -> Content:
    """What the panel is about, and how to see more of it."""
    if incident is None:
        return Content("Now")
    return Content.assemble("Why  ", plain(incident.watch, cells=40), "  enter: in full")


def calm_page(picture: Picture, times: Times) -> Page:
    """What is going on while nothing is."""
    watches = picture.watches
    if not watches:
        first = "No incident. " + ("The desk is starting." if picture.now == EPOCH else "Nothing is watched yet.")
        return Page([Line(Content.styled(first, "bold"))])
    names = ", ".join(watch.name for watch in watches)
    new = ", ".join(f"{watch.name} {told}" for watch in watches if (told := known(watch)))
    silent = ", ".join(f"{watch.name}: {told}" for watch in watches if (told := unheard(watch, picture.now, times)))
    if picture.is_deaf:
        return Page([Line(Content.assemble(("Nothing is heard. ", "bold $error"), plain(NO_SOURCE)), most=3)])
    lines = [Line(Content.assemble(("No incident. ", "bold $success"), plain(f"Watching {names}.")))]
    if silent:
        lines.append(Line(plain(f"{silent}. {CHECK_TERMS}", "$warning"), most=3))
    if new:
        lines.append(Line(plain(f"Learning: {new}. {WHILE_LEARNING}", "$faint"), most=3))
    return Page(lines)
