"""Calls as a user's type checker sees them; mypy reads this file, nothing runs it.

A complaint that is expected stands in an ignore; mypy refuses an ignore that nothing needs.
"""

from __future__ import annotations

from typing import assert_type

import fairaudit
from fairaudit.results import AuditResult, DiagnosticsResult
from fairaudit.training.running import FineTuned

assert_type(fairaudit.audit("gpt2", suites=["bbq"], seed=1, quick=True), AuditResult)
assert_type(fairaudit.audit(model="gpt2", suites="bbq"), AuditResult)
fairaudit.audit("gpt2", seed="a")  # type: ignore[arg-type]
fairaudit.audit("gpt2", sead=1)  # type: ignore[call-arg]
fairaudit.audit()  # type: ignore[call-arg]
fairaudit.audit("gpt2", ["bbq"])  # type: ignore[call-arg, arg-type]

assert_type(fairaudit.finetune("gpt2", "a.txt", output="m", cda=["gender"]), FineTuned)
fairaudit.finetune("gpt2", "a.txt", output="m", save="all")  # type: ignore[arg-type]
fairaudit.finetune("gpt2", "a.txt")  # type: ignore[call-arg]

assert_type(fairaudit.diagnose(["a", "b"], steps=[0, 10]), DiagnosticsResult)
fairaudit.diagnose("a", batch_size="many")  # type: ignore[arg-type]

assert_type(fairaudit.audit_scores("a.json", suite="bbq"), AuditResult)
fairaudit.audit_scores("a.json")  # type: ignore[call-arg]
