"""Where the files that travel with the desk are: models and playbooks.

In a checkout the folders at the top are the truth; in an installed wheel they lie inside the package.
"""

from importlib.resources import files
from pathlib import Path

from crisisdesk.errors import CrisisdeskError


def folder(name: str) -> Path:
    """The folder `models` or `playbooks`.

    Raises:
        CrisisdeskError: the installation lacks it.
    """
    package = Path(str(files("crisisdesk")))
    for place in (package / "_data" / name, package.parent / name):
        if place.is_dir():
            return place
    raise CrisisdeskError(
        f"The folder {name}/ is missing from this installation ({package}); install crisisdesk again."
    )
