"""What a run looks like: the share of the way, and a direction only where the base leans apart."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.comparing.way import Trio, trios
from fairaudit.results import AuditResult
from tests.comparing.audits import make_audit, pair_table, probe_table

BASE = "b" * 64


def audit(
    label: str, lean: float, moved: float, *, axes: tuple[str, ...] = ("gender",), **training
) -> AuditResult:
    """Forty pairs on each axis that lean so far, and a probe text so far from the base."""
    rng = np.random.default_rng(len(label))
    odds = {axis: list(lean + 0.2 * rng.standard_normal(40)) for axis in axes}
    probe = probe_table(np.full((12, 10), -3.0 + moved))
    trained = {"base_fingerprint": BASE, "seed": 0, **training} if training else None
    print_ = BASE if label == "base" else label
    return make_audit(label, pair_table(odds), probe, fingerprint=print_, training=trained)


def run(base_lean: float, plain_lean: float, *, moved: float = 0.5, first: str = "base"):
    audits = {
        "base": audit("base", base_lean, 0.0),
        "plain": audit("plain", plain_lean, 1.0, arm="plain", target_epsilon=None),
        "dp": audit("dp", base_lean, moved, arm="dp", target_epsilon=3.0),
    }
    order = [first, *(name for name in audits if name != first)]
    return [note for note in compare([audits[name] for name in order]).notes if "probe" in note]


@pytest.mark.parametrize("first", ["base", "plain"])
@pytest.mark.parametrize(
    ("base_lean", "plain_lean", "said"),
    [
        (2.0, -2.0, "leans further towards the stereotype than plain, expect dp to lean further"),
        (-2.0, 2.0, "Where base leans less far, expect dp to lean less far"),
        (0.0, 0.0, "Where neither is shown to lean further, expect no direction"),
    ],
)
def test_the_direction_is_that_of_the_base(base_lean, plain_lean, said, first):
    (note,) = run(base_lean, plain_lean, first=first)
    assert said in note
    assert note.count("expect ") == 1 + ("one to expect" in note)
    assert "no finding and no promise" in note
    assert "dp moved 0.500 nats" in note
    assert "per token, 50 % of the 1.000 nats" in note
    assert "of plain" in note


def test_one_that_moved_as_far_gets_no_direction():
    (note,) = run(2.0, -2.0, moved=1.2)
    assert "120 % of the" in note
    assert "no reason to expect a difference" in note
    assert "lean further" not in note


def test_axes_are_told_apart():
    two = ("gender", "race")
    audits = [
        make_audit(
            name,
            pair_table({"gender": [gender] * 30, "race": [race] * 30}),
            probe_table(np.full((12, 10), -3.0 + moved)),
            fingerprint=BASE if name == "base" else name,
            training=training,
        )
        for name, gender, race, moved, training in (
            ("base", 2.0, -2.0, 0.0, None),
            ("plain", -2.0, 2.0, 1.0, {"base_fingerprint": BASE, "arm": "plain"}),
            ("dp", 2.0, -2.0, 0.4, {"base_fingerprint": BASE, "arm": "dp", "target_epsilon": 1.0}),
        )
    ]
    (note,) = [note for note in compare(audits).notes if "probe" in note]
    for axis, said in zip(two, ("expect dp to lean further", "expect dp to lean less far"),
                          strict=True):  # fmt: skip
        assert axis in note[note.index(said) :].partition(")")[0]


def test_only_models_of_one_base_belong_together():
    base = audit("base", 0.0, 0.0)
    plain = audit("plain", 0.0, 1.0, arm="plain", target_epsilon=None)
    private = audit("dp", 0.0, 0.5, arm="dp", target_epsilon=3.0)
    twins = audit("twins", 0.0, 0.5, arm="dp_cda", target_epsilon=3.0, cda={"axes": ["gender"]})
    other = audit("other", 0.0, 0.5, arm="dp", target_epsilon=3.0)
    assert other.provenance.training is not None
    other.provenance.training["base_fingerprint"] = "c" * 64
    assert list(trios([base, plain, private, twins, other])) == [Trio(0, 1, 2)]
    assert list(trios([plain, private])) == []
    assert list(trios([base, private, twins])) == []


def test_without_the_probe_text_nothing_is_said():
    audits = [
        make_audit(
            name,
            pair_table([lean] * 30),
            fingerprint=BASE if name == "base" else name,
            training=training,
        )
        for name, lean, training in (
            ("base", 2.0, None),
            ("plain", 0.0, {"base_fingerprint": BASE, "arm": "plain"}),
            ("dp", 1.0, {"base_fingerprint": BASE, "arm": "dp", "target_epsilon": 1.0}),
        )
    ]
    assert not [note for note in compare(audits).notes if "promise" in note]
