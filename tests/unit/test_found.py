"""What is asked for by a name that is not there."""

import pytest

from crisisdesk.server.answers import Refused
from crisisdesk.server.routes import found


def test_the_nearest_is_named():
    with pytest.raises(Refused, match=r"There is no watch Acne\. Did you mean Acme\?"):
        found("watch", "Acne", {"Acme": 1, "Zenith": 2})


def test_among_thousands_nobody_else_waits_for_who_is_wrong():
    with pytest.raises(Refused) as caught:
        found("watch", "Acne 4711", {f"Acme {number}": number for number in range(5_000)})
    assert str(caught.value) == "There is no watch Acne 4711."
