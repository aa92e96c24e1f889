"""A result file that was changed after it was written is not read (issue 18, item 7)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairaudit.errors import ResultError
from fairaudit.gating.gate import gate
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.digest import sealed, sealed_json
from fairaudit.results.files import dump_json
from fairaudit.results.texts import PromptTexts
from tests.gating.cases import AMPLIFIED, NEUTRAL
from tests.report.audits import whole_audit

RESULTS = {"audit": NEUTRAL, "comparison": AMPLIFIED}
RECORDED = Path(__file__).parent / "recorded"
KINDS = {"audit": AuditResult, "comparison": ComparisonResult}


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(st.text() | st.just("run"), values, max_size=4))
def test_a_sealed_text_is_that_of_the_sealed_content(content):
    try:
        wanted = dump_json(sealed(content))
    except UnicodeEncodeError:
        return
    assert sealed_json(content) == wanted


def saved(kind, folder):
    """Save a result; return the path of its file and what the file holds."""
    path = folder / "result.json"
    path.unlink(missing_ok=True)
    RESULTS[kind].save(folder)
    return path, json.loads(path.read_text(encoding="utf-8"))


def refused(kind, path, content):
    path.write_text(dump_json(content), encoding="utf-8")
    with pytest.raises(ResultError, match="was changed after it was written") as caught:
        KINDS[kind].load(path)
    assert "\n" not in str(caught.value)


def leaves(content, place=()):
    """Places of all that a file says and a digest covers."""
    if isinstance(content, dict | list) and content:
        entries = content.items() if isinstance(content, dict) else enumerate(content)
        for key, value in entries:
            if (*place, key) not in {("run",), ("digest",), ("schema",), ("schema_version",)}:
                yield from leaves(value, (*place, key))
    else:
        yield place


def other(value):
    """Return another value of the same kind."""
    if isinstance(value, bool) or value is None:
        return not value
    if isinstance(value, int | float):
        return value + 1e-9
    return "other"


@pytest.mark.parametrize("kind", RESULTS)
@given(data=st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_edited_value_is_seen(kind, tmp_path, data):
    path, content = saved(kind, tmp_path)
    place = data.draw(st.sampled_from(sorted(leaves(content), key=str)))
    *outer, last = place
    inside = content
    for key in outer:
        inside = inside[key]
    inside[last] = other(inside[last])
    refused(kind, path, content)


@pytest.mark.parametrize("kind", RESULTS)
def test_what_is_cut_out_or_put_in_is_seen(kind, tmp_path):
    entries = "estimates" if kind == "audit" else "comparisons"
    path, content = saved(kind, tmp_path)
    refused(kind, path, {**content, entries: content[entries][:-1]})
    refused(kind, path, {**content, "notes": [*content["notes"], "more"]})
    refused(kind, path, {**content, "surprise": 1})
    refused(kind, path, {key: value for key, value in content.items() if key != "digest"})
    refused(kind, path, {**content, "digest": "0" * 64})
    refused(kind, path, {**content, "digest": None})


@pytest.mark.parametrize("kind", RESULTS)
def test_numbers_that_json_does_not_have_are_seen(kind, tmp_path):
    path, content = saved(kind, tmp_path)
    text = dump_json(content).replace('"alpha": 0.05', '"alpha": NaN').replace("0.31", "NaN")
    path.write_text(text)
    with pytest.raises(ResultError, match="was changed after it was written"):
        KINDS[kind].load(path)


@pytest.mark.parametrize("kind", RESULTS)
def test_only_the_time_and_place_of_a_run_may_differ(kind, tmp_path):
    path, content = saved(kind, tmp_path)
    later = {**content, "run": {**content["run"], "host": "elsewhere", "seconds": 9.0}}
    path.write_text(json.dumps(later, indent=7))
    assert KINDS[kind].load(path).run.host == "elsewhere"


@pytest.mark.parametrize("kind", RESULTS)
def test_a_result_saved_again_is_the_same_file(kind, tmp_path):
    path, _ = saved(kind, tmp_path / "first")
    KINDS[kind].load(path).save(tmp_path / "again")
    assert (tmp_path / "again" / "result.json").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("kind", RESULTS)
def test_files_of_version_1_carry_no_digest_and_are_read(kind, tmp_path):
    old = RECORDED / f"{kind}-version-1.json"
    assert json.loads(old.read_text())["schema_version"] == 1
    result = KINDS[kind].load(old)
    result.save(tmp_path)
    content = json.loads((tmp_path / "result.json").read_text())
    assert (content["schema_version"], len(content["digest"])) == (2, 64)
    assert KINDS[kind].load(tmp_path).to_json() == result.to_json()


def test_the_digest_of_an_audit_ignores_the_time_of_day():
    later = NEUTRAL.model_copy(update={"run": NEUTRAL.run.model_copy(update={"host": "there"})})
    assert NEUTRAL.digest == later.digest == json.loads(NEUTRAL.to_json())["digest"]
    assert NEUTRAL.digest != NEUTRAL.model_copy(update={"label": "other"}).digest


def test_a_comparison_that_may_have_lost_numbers_passes_no_gate():
    """Also what an editor makes of a newer file by cutting its digest."""
    policy = {"rules": [{"kind": "max_increase_vs_baseline", "margin": 0.9}]}
    decided = gate(ComparisonResult.load(RECORDED / "comparison-version-1.json"), policy)
    assert (decided.decision, decided.exit_code) == ("NOT_RUN", 3)
    assert "compare again" in decided.rules[0].reason


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """Folder of an audit with a table and texts."""
    folder = tmp_path_factory.mktemp("stored") / "audit"
    texts = (PromptTexts("1", "gender", "male", "He", (" slept",), (2,), (True,)),)
    whole_audit().with_tables({"own": pd.DataFrame({"score": [0.5, 1.5, 2.5]})}).with_texts(
        {"own": texts}
    ).save(folder)
    return folder


READERS = {
    "items/own.parquet": lambda audit: audit.items("own"),
    "texts/own.jsonl": lambda audit: audit.texts("own"),
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_one_flipped_bit_in_a_table_is_seen(stored, tmp_path, name, place):
    """Issue 18, and 24: 922 of 1,500 such tables were read as another table."""
    folder = tmp_path / "audit"
    shutil.copytree(stored, folder)
    READERS[name](AuditResult.load(folder))
    content = bytearray((folder / name).read_bytes())
    content[int(place * len(content))] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ResultError, match="was changed after it was written"):
        READERS[name](AuditResult.load(folder))


@pytest.mark.parametrize("name", READERS)
def test_a_table_that_the_result_does_not_name_is_not_read(stored, tmp_path, name):
    folder = tmp_path / "audit"
    shutil.copytree(stored, folder)
    shutil.copy(folder / name, folder / name.replace("own", "planted"))
    audit = AuditResult.load(folder)
    with pytest.raises(ResultError, match=r"none of the files that result\.json names"):
        (audit.items if name.startswith("items") else audit.texts)("planted")


def test_an_audit_saved_again_names_its_files_again(stored, tmp_path):
    AuditResult.load(stored).save(tmp_path / "again")
    one, other = (
        path.joinpath("result.json").read_bytes() for path in (stored, tmp_path / "again")
    )
    assert one == other
    assert AuditResult.load(stored).digest == AuditResult.load(tmp_path / "again").digest


def test_folders_of_before_are_read_without(stored, tmp_path):
    folder = tmp_path / "audit"
    shutil.copytree(stored, folder)
    content = json.loads((folder / "result.json").read_text())
    del content["files"]
    (folder / "result.json").write_text(json.dumps(sealed(content)))
    assert len(AuditResult.load(folder).items("own")) == 3
