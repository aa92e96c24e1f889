"""The same arithmetic by hand, on files that the tests make."""

from __future__ import annotations

import gzip
import json

import pandas as pd
import pytest

from fairaudit.errors import DataError, UsageError
from fairaudit.metrics.crows_pairs import crows_pairs_estimates
from fairaudit.metrics.stereoset import stereoset_estimates
from fairaudit.recorded.audit_scores import audit_scores

HEADER = "sent_more,sent_less,sent_more_score,sent_less_score,score,stereo_antistereo,bias_type\n"


def crows_file(folder, rows, header=HEADER):
    path = folder / "scores.csv"
    path.write_text(header + "".join(f"{row}\n" for row in rows))
    return path


def value(result, name, protocol, axis="all"):
    return result.estimate(name, protocol=protocol, axis=axis).value


def test_crows_pairs_by_hand(tmp_path):
    rows = [
        "a b,a c,-1.0,-2.0,1,stereo,gender",
        "a b,a d,-3.0,-2.0,0,stereo,gender",
        "a b,a e,-2.0,-2.0,0,stereo,gender",
        "a b,a f,-1.0,-4.0,1,antistereo,race-color",
    ]
    result = audit_scores(crows_file(tmp_path, rows), suite="crows_pairs")
    protocol = "crows_pairs/recorded"
    assert value(result, "metric_score", protocol) == 2 / 4
    assert value(result, "stereotype_score", protocol) == 1 / 2
    assert value(result, "anti_stereotype_score", protocol) == 1.0
    assert value(result, "stereotype_preference_rate", protocol) == 2.5 / 4
    assert value(result, "mean_log_odds", protocol) == pytest.approx((1 - 1 + 0 + 3) / 4)
    assert result.estimate("metric_score", protocol=protocol).n_tied == 1
    assert not any("swapped" in note for note in result.notes)


def test_swapped_columns_are_swapped_back(tmp_path):
    rows = [
        "a b,a c,-1.0,-2.0,1,stereo,gender",
        "a b,a f,-4.0,-1.0,1,antistereo,gender",
    ]
    result = audit_scores(crows_file(tmp_path, rows), suite="crows_pairs")
    assert value(result, "metric_score", "crows_pairs/recorded") == 1.0


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["a b,a c,-1.0,oops,1,stereo,gender"], "row 2: column 'sent_less_score': 'oops'"),
        (["a b,a c,-1.0,nan,1,stereo,gender"], "the score is nan"),
        (["a b,a c,-1.0,-2.0,1,stereo,weather"], "row 2: column 'bias_type' holds 'weather'"),
        (["a b,,-1.0,-2.0,1,stereo,gender"], "row 2: column 'sent_more' or 'sent_less' is empty"),
        (
            [
                "a b,a c,-1.0,-2.0,1,antistereo,gender",
                "a b,a d,-1.0,-2.0,0,antistereo,gender",
            ],
            "contradicts",
        ),
        ([], "holds no pairs"),
    ],
)
def test_malformed_score_tables_are_named(tmp_path, rows, message):
    with pytest.raises(DataError, match=message):
        audit_scores(crows_file(tmp_path, rows), suite="crows_pairs")


def test_a_missing_score_is_skipped_and_counted(tmp_path):
    rows = ["a b,a c,-1.0,,1,stereo,gender", "a b,a d,-1.0,-2.0,1,stereo,gender"]
    result = audit_scores(crows_file(tmp_path, rows), suite="crows_pairs")
    found = result.estimate("stereotype_preference_rate", protocol="crows_pairs/recorded")
    assert (found.value, found.n, found.n_skipped) == (1.0, 1, 1507)
    assert "skipped_items" in found.cautions


def stereoset_table(rows):
    records = [
        {
            "item_id": f"{index}",
            "protocol": "stereoset/intrasentence-causal",
            "axis": "gender",
            "group": None,
            "cluster": term,
            "role": role,
            "score": score,
            "n_tokens": 1,
            "status": "ok",
            "reason": None,
        }
        for index, (term, *scores) in enumerate(rows)
        for role, score in zip(("stereotype", "anti_stereotype", "unrelated"), scores, strict=True)
    ]
    return pd.DataFrame(records)


def test_stereoset_by_hand():
    """Term x: SS (1 + 0)/2, LM (1 + ½)/2; term y: a tie counts for anti, LM 0."""
    table = stereoset_table(
        [("x", -1.0, -2.0, -3.0), ("x", -3.0, -1.0, -2.0), ("y", -2.0, -2.0, -1.0)]
    )
    found = {e.name: e for e in stereoset_estimates(table, 0) if e.axis == "gender"}
    assert found["stereotype_score"].value == pytest.approx((0.5 + 0.0) / 2)
    assert found["language_modeling_score"].value == pytest.approx((0.75 + 0.0) / 2)
    assert found["icat"].value == pytest.approx(0.375 * 0.25 / 0.5)
    assert found["stereotype_score"].n_tied == 1
    assert found["stereotype_score"].interval is None
    assert "2" in found["stereotype_score"].reason
    assert "few_clusters" in found["stereotype_score"].cautions


def test_swapping_the_roles_flips_the_sign_and_mirrors_the_rate():
    rows = [("x", -1.0, -2.5, 0.0), ("y", -1.0, -0.5, 0.0), ("z", -3.0, -1.0, 0.0)] * 5
    table = stereoset_table(rows).query("role != 'unrelated'").assign(direction="stereo")
    table["protocol"] = "crows_pairs/causal-sum"
    table["cluster"] = table["item_id"]
    swap = {"stereotype": "anti_stereotype", "anti_stereotype": "stereotype"}
    there = {e.key: e for e in crows_pairs_estimates(table, 0)}
    back = {e.key: e for e in crows_pairs_estimates(table.replace({"role": swap}), 0)}
    for name, whole in {"mean_log_odds": 0, "stereotype_preference_rate": 1}.items():
        keys = [key for key in there if key[3] == name]
        assert keys
        for key in keys:
            assert back[key].value == pytest.approx(whole - there[key].value)


def predictions(entries):
    return {"intrasentence": entries, "intersentence": []}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"not json", "not a StereoSet prediction file"),
        (json.dumps(predictions([{"id": "x"}])).encode(), "entry 1: KeyError"),
        (json.dumps(predictions([])).encode(), "holds no scores"),
        (json.dumps(predictions([{"id": "x", "score": 1}] * 2)).encode(), "stands twice"),
        (json.dumps(predictions([{"id": "x", "score": 1.0}])).encode(), "are not in StereoSet"),
    ],
)
def test_malformed_predictions_are_named(tmp_path, monkeypatch, content, message):
    from fairaudit.suites import stereoset
    from fairaudit.suites.data import git_blob_id

    cluster = {
        "id": "c1",
        "target": "chess player",
        "bias_type": "profession",
        "context": "The chess player was BLANK.",
        "sentences": [
            {"id": f"s{i}", "sentence": f"The chess player was {word}.", "gold_label": label}
            for i, (word, label) in enumerate(
                [("tall", "stereotype"), ("short", "anti-stereotype"), ("fog", "unrelated")]
            )
        ],
    }
    dev = json.dumps({"data": {"intrasentence": [cluster], "intersentence": []}}).encode()
    (tmp_path / "stereoset").mkdir()
    (tmp_path / "stereoset" / "dev.json").write_bytes(dev)
    pinned = stereoset.PinnedFile("r", "c", "dev.json", git_blob_id(dev), ("stereoset/dev.json",))
    monkeypatch.setattr(stereoset, "DEV", pinned)
    path = tmp_path / "predictions.json.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message):
        audit_scores(path, suite="stereoset", data=tmp_path)


def test_unknown_formats_and_suites_are_refused(tmp_path):
    with pytest.raises(UsageError, match="format 'xml'"):
        audit_scores(tmp_path, suite="stereoset", format="xml")
    with pytest.raises(UsageError, match="no recording of suite 'templates'"):
        audit_scores(tmp_path, suite="templates")
