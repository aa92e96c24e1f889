"""Policies: what they may say, and one clear line about what they may not."""

from __future__ import annotations

import pytest

import fairaudit
import fairaudit.metrics
from fairaudit.errors import UsageError
from fairaudit.gating.policy import (
    MaxDeviationFromIdeal,
    matches,
    read_policy,
)
from fairaudit.vocabulary.verdicts import SMALLEST_ALPHA
from tests.gating.cases import CASES, DEVIATION, EQUIVALENT, INCREASE, NEUTRAL, RAN
from tests.gating.results import compared, policy, shifted, toml

HEAD = '[[rules]]\nkind = "max_deviation_from_ideal"\n'
GROUP_ALONE = HEAD + 'limit = 0.1\ngroup = "female"\n'
BAD = {
    "an unknown key of a rule": (HEAD + "limt = 0.1\n",
        r"rule 1 \(max_deviation_from_ideal\): unknown key 'limt'; did you mean 'limit'\?"),
    "an unknown key beside a whole rule": (HEAD + "limit = 0.1\nsuites = 'bbq'\n",
        r"unknown key 'suites'; did you mean 'suite'\?"),
    "a key of another rule": (HEAD + "limit = 0.1\nepsilon_budget = 3\n",
        r"unknown key 'epsilon_budget'; there are .*limit"),
    "an unknown key of the policy": ("[policy]\nalhpa = 0.1\n" + HEAD + "limit = 0.1\n",
        r"\[policy\] unknown key 'alhpa'; did you mean 'alpha'\?"),
    "an unknown table": (
        "[[rule]]\nkind = 'requires'\n", r"unknown key 'rule'; did you mean 'rules'"),
    "an unknown kind": ("[[rules]]\nkind = 'max_increase'\n",
        r"rule 1: no rule is called 'max_increase'; did you mean 'max_increase_vs_baseline'\?"),
    "no kind": ("[[rules]]\nlimit = 0.1\n", r"rule 1: 'kind' is missing; there are .*requires"),
    "no limit": (HEAD, r"rule 1 \(max_deviation_from_ideal\): 'limit' is missing"),
    "a negative limit": (HEAD + "limit = -0.1\n", r"limit = -0.1: input should be greater than 0"),
    "a limit that is no number": (HEAD + "limit = '0.1'\n", r"'0.1': input should be a valid"),
    "a limit that is not finite": (HEAD + "limit = inf\n", r"inf: input should be a finite"),
    "alpha too large": ("[policy]\nalpha = 0.5\n" + HEAD + "limit = 0.1\n",
        r"\[policy\] alpha = 0.5: input should be less than 0.5"),
    "alpha of 0": ("[policy]\nalpha = 0\n" + HEAD + "limit = 0.1\n",
        r"alpha = 0: input should be greater than or equal to 0.000001"),
    "alpha beyond any bound": ("[policy]\nalpha = 1e-300\n" + HEAD + "limit = 0.1\n",
        r"\[policy\] alpha = 1e-300: input should be greater than or equal to 0.000001"),
    "an unknown family": ("[policy]\nfamily = 'all'\n" + HEAD + "limit = 0.1\n",
        r"family = 'all': input should be 'policy' or 'rule'"),
    "no rules": ("[policy]\nname = 'x'\n", r"'rules' is missing"),
    "an empty list of rules": ("rules = []\n", r"a policy without rules decides nothing"),
    "a group without a metric": (GROUP_ALONE, r"'group' needs 'metric'"),
    "a suite that is no text": (HEAD + "limit = 0.1\nsuite = 3\n", r"suite = 3: input should be"),
    "an empty list of suites": (HEAD + "limit = 0.1\nsuite = []\n", r"suite.*at least 1 item"),
    "not TOML": ("policy: alpha: 0.1\n", r"not a TOML file"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "message"), BAD.values(), ids=BAD)
def test_a_bad_policy_is_one_line_that_names_file_and_key(tmp_path, text, message):
    path = tmp_path / "release.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as caught:
        read_policy(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    assert "pydantic" not in str(caught.value)


def test_a_missing_or_unreadable_file(tmp_path):
    with pytest.raises(UsageError, match=r"no such policy file; .*--init"):
        read_policy(tmp_path / "nowhere.toml")
    with pytest.raises(UsageError, match="cannot be read"):
        read_policy(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read as text"):
        read_policy(tmp_path / "binary.toml")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"suite": "stereo_set"}, "no suite is called 'stereo_set'; did you mean 'stereoset'"),
        ({"suite": ["templates", "crows*", "mine"]}, "no suite is called 'mine'"),
        ({"protocol": "sterioset/*"}, "no suite is called 'sterioset'; did you mean 'stereoset'"),
    ],
)
def test_a_suite_that_does_not_exist_is_an_error(fields, message):
    with pytest.raises(UsageError, match=rf"policy 'x', rule 2 \(max_dev.*\): {message}"):
        fairaudit.gate(NEUTRAL, policy(RAN, {**DEVIATION, **fields}, name="x"))


def test_a_limit_in_percent_is_an_error():
    with pytest.raises(UsageError, match=r"no value exceeds limit = 5 .*write 0.05 for 5 points"):
        fairaudit.gate(NEUTRAL, policy({**DEVIATION, "limit": 5}))
    with pytest.raises(UsageError, match=r"no value exceeds limit = 0.5 "):
        fairaudit.gate(NEUTRAL, policy({**DEVIATION, "limit": 0.5}))


WEIGHTED = {"name": "stereotype_score", "n_discordant": None}


@pytest.mark.parametrize(
    ("fields", "rule", "span"),
    [
        (WEIGHTED, {**INCREASE, "margin": 5}, "from −1 to 1"),
        (WEIGHTED, {**EQUIVALENT, "margin": 1}, "from −1 to 1"),
        (WEIGHTED, {**DEVIATION, "limit": 0.6}, "from 0 to 1"),
        ({"name": "regard_difference", "n_discordant": None}, {**INCREASE, "margin": 5},
         "from −4 to 4"),
        ({"name": "of one's own"}, {**INCREASE, "margin": 5}, "from −1 to 1"),
    ],
)  # fmt: skip
def test_a_limit_that_no_value_exceeds_is_an_error_whatever_the_statistics(fields, rule, span):
    with pytest.raises(UsageError, match=rf"{rule['kind']}: no value exceeds .*, {span}\)"):
        fairaudit.gate(compared(shifted(0.0, 0.01, **fields)), policy(rule))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_smallest_error_level_decides_everything(case):
    content = {**case.policy, "policy": {**case.policy["policy"], "alpha": SMALLEST_ALPHA}}
    assert fairaudit.gate(case.result, content).decision != "PASS" or case.decision != "FAIL"


def test_file_and_mapping_are_one_policy_and_so_is_its_hash(tmp_path):
    content = policy(DEVIATION, RAN, alpha=0.1)
    (tmp_path / "p.toml").write_text(toml(content))
    read = read_policy(tmp_path / "p.toml")
    assert read == read_policy(content) == read_policy(read)
    assert read.hash == read_policy({**content, "policy": {"name": "policy", "alpha": 0.1}}).hash
    assert read.hash != read_policy({**content, "policy": {"alpha": 0.05}}).hash
    assert len(read.hash) == 64


def test_one_pattern_is_a_list_of_one():
    rule = read_policy(policy({**DEVIATION, "axis": "gender"})).rules[0]
    assert isinstance(rule, MaxDeviationFromIdeal)
    assert (rule.axis, rule.suite, rule.group) == (("gender",), ("*",), None)


def test_names_with_glob_characters_match_themselves():
    assert matches("my[1]", "my[1]")
    assert matches("my1", "my[1]")
    assert not matches("my2", "my[1]")
