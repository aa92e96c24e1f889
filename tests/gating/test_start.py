"""The gate starts in the blink of an eye: no torch, no pandas, one corner of scipy."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest

from tests.gating.cases import CAPABLE, DEVIATION, INCREASE, NEUTRAL, SAME_RATE
from tests.gating.results import policy, toml

pytestmark = pytest.mark.long

HEAVY = ("torch", "transformers", "datasets", "opacus", "pandas", "statsmodels", "matplotlib")
CODE = """
import sys
sys.argv = ["fairaudit", *sys.argv[1:]]
from fairaudit.__main__ import main
try:
    main()
except SystemExit as end:
    import json
    print("LOADED", json.dumps([end.code, sorted(sys.modules)]))
"""


@pytest.fixture
def arguments(tmp_path):
    NEUTRAL.save(tmp_path / "audit")
    SAME_RATE.save(tmp_path / "comparison")
    (tmp_path / "audit.toml").write_text(toml(policy(DEVIATION, CAPABLE)))
    (tmp_path / "comparison.toml").write_text(toml(policy(INCREASE)))

    def of(kind):
        xml = str(tmp_path / f"{kind}.xml")
        return ["gate", str(tmp_path / kind), "--policy", str(tmp_path / f"{kind}.toml"),
                "--junit", xml]  # fmt: skip

    return of


@pytest.mark.parametrize("kind", ["audit", "comparison"])
def test_it_loads_nothing_heavy(arguments, kind):
    command = [sys.executable, "-c", CODE, *arguments(kind)]
    done = subprocess.run(command, capture_output=True, text=True)
    code, loaded = json.loads(done.stdout.rpartition("LOADED ")[2])
    assert code == 0, done.stdout
    assert not [name for name in HEAVY if name in loaded]
    rooms = {name.split(".")[1] for name in loaded if name.startswith("scipy.")}
    assert {room for room in rooms if not room.startswith("_")} <= {"special", "version"}


def test_it_starts_and_ends_fast(arguments):
    """Little more than its libraries take to start: seconds say more of the machine than of us."""

    def spent():
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def least(*command):
        found = []
        for _ in range(3):
            before = spent()
            assert subprocess.run([sys.executable, *command], capture_output=True).returncode == 0
            found.append(spent() - before)
        return min(found)

    libraries = least("-c", "import jinja2, numpy, pydantic, rich.console, scipy.special, typer")
    assert least("-m", "fairaudit", *arguments("audit")) < 3 * libraries


def test_the_pytest_plugin_imports_only_pytest():
    code = (
        "import sys, pytest; before = set(sys.modules); import fairaudit.pytest_plugin;"
        "print(sorted(set(sys.modules) - before - {'fairaudit', 'fairaudit._version'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    new = set(json.loads(done.stdout.replace("'", '"')))
    assert "fairaudit.pytest_plugin" in new
    third_party = {name.split(".")[0] for name in new} - set(sys.stdlib_module_names)
    assert third_party == {"fairaudit"}
