"""What the page of a model on the hub states about its languages and licence."""

import re
from pathlib import Path
from typing import Any

from crisisdesk.text import clean


def stated(folder: Path) -> dict[str, Any]:
    """`languages` and `licence`, as far as the page README.md says so at its top; nothing where it does not."""
    from huggingface_hub.repocard import metadata_load  # noqa: PLC0415  slow, and only models from elsewhere need it

    try:
        head = metadata_load(folder / "README.md") or {}
    except Exception:  # noqa: BLE001  a page is written by strangers, and what it cannot say is not stated
        return {}
    spoken, licence = head.get("language") or [], head.get("license")
    languages = tuple(one for one in ([spoken] if isinstance(spoken, str) else spoken) if _is_language(one))
    known: dict[str, Any] = {"languages": languages} if languages else {}
    return known | ({"licence": clean(licence, 80)} if isinstance(licence, str) else {})


def _is_language(tag: object) -> bool:
    return isinstance(tag, str) and re.fullmatch(r"[a-z]{2,3}", tag) is not None and tag != "mul"
