"""A page on the screen, drawn again only when it says something else."""

from textual.widgets import Static

from crisisdesk.console.widgets.page import Page


class Sheet(Static):
    """Holds a page; ten equal ones a second cost nothing, and one of the same height moves nothing else."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._page = Page()

    def put(self, page: Page) -> None:
        """Show this page instead."""
        if page != self._page:
            width = self.content_size.width
            grows = not width or len(page.fit(width)) != len(self._page.fit(width))
            self._page = page
            self.update(page, layout=grows)
