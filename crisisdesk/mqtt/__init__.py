"""The way to an MQTT broker and back: the only room that knows the MQTT client.

    Connection      publishes: returns when the broker has acknowledged, and says `online` and `offline`
    Subscription    receives: acknowledges to the broker when we say that a message is safe

Both enter by the same door (`entrance.py`), in MQTT 5, or in 3.1.1 where a broker knows no better.
"""

from crisisdesk.mqtt.client import Broker
from crisisdesk.mqtt.connection import Connection, Send
from crisisdesk.mqtt.publisher import Message, TooLargeError
from crisisdesk.mqtt.subscription import (
    Inbox,
    MuteError,
    OustedError,
    OverrunError,
    Received,
    Subscription,
    unshared,
)
from crisisdesk.mqtt.visit import visit

__all__ = [
    "Broker",
    "Connection",
    "Inbox",
    "Message",
    "MuteError",
    "OustedError",
    "OverrunError",
    "Received",
    "Send",
    "Subscription",
    "TooLargeError",
    "unshared",
    "visit",
]
