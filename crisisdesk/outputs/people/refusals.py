"""Why a service did not take a message, out of what Apprise writes into its log. Pure.

Apprise itself says yes or no only. Its log holds addresses, tokens and the message, so nothing of it is passed on: it
is looked through for what is known, and what a person reads is written here.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from crisisdesk.errors import OutputError, RefusedError

_HTTP: Final = re.compile(r"\berror\s?(?:code)?[=:]\s?(\d{3})\b|\bstatus(?:[ _]code)?[=: ]\s?(\d{3})\b", re.IGNORECASE)
_SMTP: Final = re.compile(r"Socket Exception: [({].{0,200}?\b([45]\d\d),", re.DOTALL)
_MARKS: Final[Mapping[str, str]] = {
    r"certificate_verify_failed|certificate verify failed|doesn't match": (
        "shows a certificate that this machine does not trust; mend the certificate, or add verify=no to {where} if "
        "the network is your own"
    ),
    r"wrong_version_number|sslerror|\[ssl|starttls|ssl\.": (
        "does not agree with us on encryption; look at its port, and whether the address in {where} should begin with "
        "another word, such as json or jsons"
    ),
    r"getaddrinfo|name or service not known|resolve|nodename nor servname": (
        "cannot be found: its host name is not known; look at {where}, and at this machine's network"
    ),
    r"connection ?refused|errno 111|actively refused": (
        "cannot be reached: the connection is refused; look whether it runs, and at the port in {where}"
    ),
    r"timed? ?out|timeout": "did not answer in time; it is told again, so the message may come twice",
    r"unreachable|no route to host|network is down|connection reset|connection aborted|remotedisconnected|closed": (
        "cannot be reached, or hung up; look at this machine's network"
    ),
    r"authenticationfailed|authentication failed|smtpauthentication|invalid_auth|unauthorized": (
        "does not let us in; look at the name and the password or token in {where}"
    ),
}
"""What stands in the log, and what it means; the first that is found counts."""


def why_not(name: str, where: str, log: Sequence[str]) -> OutputError:
    """Why a message was not taken, and what to do.

    Args:
        name: of the output.
        where: the setting that holds the address, such as `ANNA_PUSH`.
        log: what Apprise wrote of this message, line by line; may hold secrets.
    """
    said = "\n".join(log)
    if codes := [first or second for first, second in _HTTP.findall(said)]:
        return _by_http(name, where, int(codes[-1]))
    if found := _SMTP.search(said):
        return _by_smtp(name, where, int(found[1]))
    for mark, meaning in _MARKS.items():
        if re.search(mark, said, re.IGNORECASE):
            return OutputError(f"{name}: the service {meaning.format(where=where)}.")
    return OutputError(f"{name}: the service did not take the message and does not say why; look at {where}.")


def _by_http(name: str, where: str, code: int) -> OutputError:
    kind, answer = OutputError, f"answers {code}"
    if code in {401, 403}:
        why = f"does not let us in ({code}); look at the password, key or token in {where}"
    elif code in {404, 410}:
        why = f"knows no such room, device or topic ({code}); look at {where}"
    elif code in {408, 425, 429}:
        why = f"asks us to wait ({code}); it is told again later"
    elif 300 <= code < 400:
        why = f"has moved ({code}); write its new address into {where}, with s at the end of the first word for https"
    elif 400 <= code < 500:
        kind, why = RefusedError, f"does not take this message ({code}); look at the address in {where}"
    elif code >= 500:
        why = f"has trouble of its own ({code}); it is told again"
    else:
        why = f"{answer} but did not take the message; look at {where}"
    return kind(f"{name}: the service {why}.")


def _by_smtp(name: str, where: str, code: int) -> OutputError:
    if code in {530, 534, 535, 538}:
        return OutputError(
            f"{name}: the mail server does not let us in ({code}); look at name and password in {where}."
        )
    if code >= 500:
        return RefusedError(f"{name}: the mail server refuses the message ({code}); look at the recipient in {where}.")
    return OutputError(f"{name}: the mail server asks us to come again ({code}); it is told again.")
