"""What may become of asking a server."""

from typing import Final

import aiohttp

from crisisdesk.errors import SourceError

BREAKS: Final = (aiohttp.ClientError, OSError, SourceError)
"""All of it but an answer."""
