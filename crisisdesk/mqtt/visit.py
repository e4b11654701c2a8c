"""A look at a broker: whether it lets us in."""

import aiomqtt

from crisisdesk.errors import FatalOutputError, OutputError
from crisisdesk.mqtt.client import Broker, Client, Session
from crisisdesk.mqtt.entrance import Entrance


async def visit(broker: Broker, client_id: str) -> None:
    """Enter as somebody else than a desk that may be running, and leave again; nothing is published.

    Raises:
        OutputError: it does not let us in; a FatalOutputError names the setting to mend.
    """
    entrance = Entrance(broker, "output")
    while True:
        client = Client(broker, client_id, entrance.version, Session(0, outlives=False))
        try:
            await client.connect()
            await client.disconnect()
        except aiomqtt.MqttError as error:
            refusal = entrance.refusal(error)
            if not refusal.at_once:
                raise (FatalOutputError if refusal.final else OutputError)(refusal.why) from error
        else:
            return
