"""A source that cannot be used as it is set up, among others that can."""

from typing import NoReturn

from crisisdesk.errors import FatalSourceError
from crisisdesk.records import SourceStatus
from crisisdesk.sources.base import Edge


class Unusable:
    """It delivers nothing and says why, so that the others are heard meanwhile.

    Args:
        name: what people call it.
        why: what is wrong, with the setting to mend.
    """

    pushes = False
    resumes = False
    cursor = None

    def __init__(self, name: str, why: str) -> None:
        self.name = name
        self._why = why

    def resume(self, cursor: str) -> None:
        """Where it was, it cannot go on."""

    def status(self) -> SourceStatus:
        """Failed, and why."""
        return SourceStatus(self.name, "failed", trouble=self._why)

    async def run(self, edge: Edge) -> NoReturn:  # noqa: ARG002  as every source
        """Say why.

        Raises:
            FatalSourceError: always.
        """
        raise FatalSourceError(self._why)
