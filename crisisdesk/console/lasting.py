"""What goes on although a person has said that it is over: the desk calls nobody for it, and calm it is not."""

from crisisdesk.desk import Picture, WatchPicture
from crisisdesk.records import WAVE_ENDS_AFTER, Incident, Kind


def lasting(watch: WatchPicture, picture: Picture) -> Incident | None:
    """The newest incident of a watch, where a person has ended it and its wave goes on; None where nothing does."""
    found = next((one for one in picture.incidents if one.watch == watch.name and one.kind is Kind.SPIKE), None)
    if found is None or found.is_open or found.resolved_by is None or found.resolved_at is None:
        return None
    last = found.calm_since or found.resolved_at
    return found if picture.now - last < WAVE_ENDS_AFTER and _stands_out(watch) else None


def _stands_out(watch: WatchPicture) -> bool:
    """Whether the last hour is above the usual band; above twice the usual, where no band is known."""
    high = watch.chart[-1].high if watch.chart else None
    return watch.negative_hour > (2 * watch.expected_hour if high is None else high)
