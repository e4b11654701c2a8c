"""How a webhook is signed, whether we send it or take it.

    X-Crisisdesk-Signature: t=UNIX,v1=hex(HMAC-SHA256(secret, "t.body"))

`body` are the bytes as they travel; the time bounds for how long what somebody has overheard can be sent again.
"""

import hashlib
import hmac
from datetime import datetime
from typing import Final

HEADER: Final = "X-Crisisdesk-Signature"


def digest(secret: str, unix: int, body: bytes) -> str:
    """What only those can compute who know the secret: 64 hexadecimal digits."""
    key = secret.encode("utf-8", "surrogateescape")  # as it stands in the environment, whatever its encoding
    return hmac.new(key, f"{unix}.".encode() + body, hashlib.sha256).hexdigest()


def signature(secret: str, moment: datetime, body: bytes) -> str:
    """The header's value for a body that is sent at this moment."""
    unix = int(moment.timestamp())
    return f"t={unix},v1={digest(secret, unix, body)}"
