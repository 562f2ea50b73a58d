"""`python -m backend` is the command `lull`."""

from backend.cli import main

main()
