"""Result files: round trip, refusal of what is damaged, newer or unknown."""

from __future__ import annotations

import json

import pytest
from pydantic import ValidationError

from fairaudit.errors import ResultError
from fairaudit.results import AuditResult, Estimate, ModelIdentity, Provenance, Run, Settings, files
from fairaudit.results.digest import sealed


def estimate(**changes):
    base = {
        "name": "mean_log_odds", "kind": "bias", "suite": "s", "protocol": "s/p", "axis": "gender",
        "value": 0.25, "n": 3, "n_clusters": 3,
    }  # fmt: skip
    return Estimate(**(base | changes))


def audit(*estimates, label="m"):
    return AuditResult(
        label=label,
        suites=(),
        estimates=estimates,
        provenance=Provenance(model=ModelIdentity(id="m", fingerprint="f"), settings=Settings()),
        run=Run(started="", finished="", seconds=0.0, host=""),
    )


def test_round_trip(tmp_path):
    result = audit(estimate(), estimate(axis="race", value=None, reason="no item was scored"))
    result.save(tmp_path)
    assert AuditResult.load(tmp_path).to_json() == result.to_json()
    frame = AuditResult.load(tmp_path).to_frame()
    assert frame["value"].isna().tolist() == [False, True]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_never_enters(value):
    with pytest.raises(ValidationError):
        estimate(value=value)


def test_keys_are_unique():
    with pytest.raises(ValidationError, match="share the key"):
        audit(estimate(), estimate(value=0.5))


def test_results_are_frozen():
    with pytest.raises(ValidationError):
        audit().label = "other"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "other"}, "expected schema"),
        ({"schema_version": 3}, "newer than this fairaudit reads"),
        ({"schema_version": None}, "schema_version is missing"),
        ({"schema_version": 0}, "not a whole number from 1"),
        ({"schema_version": -1}, "not a whole number from 1"),
        ({"schema_version": True}, "not a whole number from 1"),
        ({"surprise": 1}, "surprise: Extra inputs"),
        ({"estimates": [{"name": 1}]}, "estimates.0"),
    ],
)
def test_files_that_do_not_fit_are_refused(tmp_path, change, message):
    """Whoever wrote them: their digest fits."""
    content = sealed(json.loads(audit().to_json()) | change)
    (tmp_path / "result.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match=message):
        AuditResult.load(tmp_path)


def test_damaged_files_are_refused(tmp_path):
    (tmp_path / "result.json").write_text("{")
    with pytest.raises(ResultError, match="not readable as JSON"):
        AuditResult.load(tmp_path)
    with pytest.raises(ResultError, match="no such file"):
        AuditResult.load(tmp_path / "nowhere")
    (tmp_path / "t.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(ResultError, match="not a readable Parquet file"):
        files.read_table(tmp_path / "t.parquet")


def test_a_folder_keeps_its_audit(tmp_path):
    audit(label="first").save(tmp_path)
    audit(estimate(), label="first").save(tmp_path)
    with pytest.raises(ResultError, match="holds another result"):
        audit(label="second").save(tmp_path)
    assert AuditResult.load(tmp_path).label == "first"


def test_a_failure_while_writing_leaves_the_old_files(tmp_path):
    target = tmp_path / "audit"
    audit(label="first").save(target)

    def fail():
        with files.staged_folder(target) as stage:
            files.write_text(stage / "result.json", "half")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        fail()
    assert AuditResult.load(target).label == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["audit"]


def test_notebook_display_shows_the_numbers():
    assert "0.250" in audit(estimate())._repr_html_() or "0.25" in audit(estimate())._repr_html_()


def test_a_claim_that_an_older_audit_refuted_in_its_notes_stays_refuted(tmp_path):
    """Issue 19: then it was recognised by how the note began."""
    said = "the privacy statement does not follow: epsilon 3 is claimed, the parameters give 9"
    content = json.loads(audit().to_json()) | {"notes": ["another note", said]}
    assert content.pop("privacy_refuted") is None
    path = tmp_path / "result.json"
    path.write_text(json.dumps(sealed(content)))
    assert AuditResult.load(path).privacy_refuted == said
    path.write_text(json.dumps(sealed(content | {"privacy_refuted": None})))
    assert AuditResult.load(path).privacy_refuted is None
