"""The release gate as a pytest fixture.

::

    def test_release(fairaudit_gate):
        fairaudit_gate("audits/dp", policy="release.toml")

Only pytest is imported until a test asks for the fixture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from fairaudit.results import GateResult


@pytest.fixture
def fairaudit_gate(request: pytest.FixtureRequest) -> Callable[..., GateResult]:
    """Gate a result by a policy, and fail the test unless the gate's exit code is 0.

    Called like `fairaudit.gate`: a result or its folder, ``policy`` and ``allow_inconclusive``. An
    undecided gate fails the test as well: a test that is skipped would look like one that passed.
    To look at a decision without failing, call `fairaudit.gate` itself. The decision enters the
    test's properties, and so pytest's own JUnit report.
    """

    def check(*arguments: object, **options: object) -> GateResult:
        from fairaudit.gating.gate import gate

        __tracebackhide__ = True
        result = gate(*arguments, **options)  # type: ignore[arg-type]
        request.node.user_properties.append(("fairaudit_gate", result.decision))
        if result.exit_code:
            pytest.fail(f"release gate: {result.explain()}", pytrace=False)
        return result

    return check
