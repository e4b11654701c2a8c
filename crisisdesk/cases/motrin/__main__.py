"""Writes the case's file anew and says what is in it: `python -m crisisdesk.cases.motrin`."""

import sys
from collections import Counter

from crisisdesk.cases.motrin.file import PATH, content, packed
from crisisdesk.cases.motrin.story import Story


def main() -> None:
    """Tell the story, write the file, print posts and intended complaints per phase."""
    drafts = Story().tell()
    PATH.write_bytes(packed(content(drafts)))
    totals = Counter(draft.phase for draft in drafts)
    complaints = Counter(draft.phase for draft in drafts if draft.negative)
    lines = [f"{PATH}: {len(drafts)} posts by {len({draft.person.handle for draft in drafts})} people"]
    for phase, total in totals.items():
        lines.append(f"  {phase:12} {total:5} posts, {complaints[phase]:5} meant negative")
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
