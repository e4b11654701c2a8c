"""`python -m crisisdesk` is the command `crisisdesk`."""

from crisisdesk.cli import main

main()
