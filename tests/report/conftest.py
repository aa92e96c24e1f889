from __future__ import annotations

import pytest

from fairaudit.results import AuditResult
from tests.report import audits


@pytest.fixture(scope="session")
def audit() -> AuditResult:
    return audits.whole_audit()


@pytest.fixture(scope="session")
def hostile() -> AuditResult:
    return audits.whole_audit(audits.HOSTILE + audits.ESCAPES)


@pytest.fixture(scope="session")
def empty() -> AuditResult:
    return audits.empty_audit()
