"""`python -m simulator.launcher PID ARGUMENTS`: the command `lull ARGUMENTS`, which ends when process PID does."""

from __future__ import annotations

import sys

from backend.__main__ import main
from backend.lifetime import end_with_parent

if __name__ == "__main__":
    end_with_parent(int(sys.argv.pop(1)))
    main()
