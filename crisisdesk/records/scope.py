"""Which incidents something is for."""

from collections.abc import Collection
from typing import Protocol

from crisisdesk.records.incident import Kind
from crisisdesk.records.severity import Severity


class Scope(Protocol):
    """What is for some incidents only; None stands for all watches, or all kinds."""

    @property
    def watches(self) -> Collection[str] | None: ...

    @property
    def kinds(self) -> Collection[Kind] | None: ...

    @property
    def severities(self) -> Collection[Severity]: ...


def is_for(scope: Scope, watch: str, kind: Kind, severity: Severity) -> bool:
    """Whether it is for incidents of this watch, kind and severity."""
    return (
        severity in scope.severities
        and (scope.watches is None or watch in scope.watches)
        and (scope.kinds is None or kind in scope.kinds)
    )
