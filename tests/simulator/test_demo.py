"""The whole thing for five simulated minutes: real processes, real HTTP, real pushes to the emulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import alive, descendants, until


@pytest.mark.timeout(240)
def test_phones_get_coupons_and_redeem_them(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    command = [sys.executable, "-m", "backend", "demo", "--exit-when-done", "--minutes", "6", "--phones", "150"]
    done = subprocess.run(
        [*command, "--seed", "1", "--summary", str(summary)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(summary.read_text())
    assert said["http_errors"] == 0
    assert said["coupons_issued"] > 0
    assert said["coupons_issued"] == said["pushes_accepted"] + sum(said["pushes_dropped"].values())
    assert said["decisions"]["offered"] >= said["coupons_issued"]
    assert said["checks"]["coupons_to_closed_stores"] == 0
    assert said["checks"]["coupons_outside_fence"] == 0


def test_a_demo_that_is_killed_leaves_no_process_behind(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "backend", "demo", "--phones", "20"]
    env = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Open http://")
        started = descendants(process.pid)
        assert len(started) >= 5, "server and emulator with a process each that serves, and the worker"
        process.kill()
        process.wait()
        until(lambda: not alive(started), 20.0)
