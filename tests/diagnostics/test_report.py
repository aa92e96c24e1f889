"""The page, the figures and the terminal of a diagnosis, from a result written by hand."""

from __future__ import annotations

import io
import re
import shutil
import subprocess

import pytest
from rich.console import Console

from fairaudit.errors import ResultError
from fairaudit.report import words
from fairaudit.report.diagnostics import quantities_in_words as names
from fairaudit.report.diagnostics import summary, view
from fairaudit.report.diagnostics.disparity_beside_bias import beside
from fairaudit.report.diagnostics.figures import figures
from fairaudit.report.files import write_report
from fairaudit.report.html import render_html
from fairaudit.report.terminal import render_terminal
from fairaudit.results import (
    ClippingParameters,
    DiagnosedModel,
    DiagnosticsProvenance,
    DiagnosticsResult,
    GroupDifference,
    Interval,
    ModelIdentity,
    ProbeGroup,
    Quantity,
    Run,
)
from fairaudit.results.loading import load_result
from tests.report import comparisons
from tests.waiting import PATIENCE

HOSTILE = "<script>alert(1)</script>\x1b[31m[bold]x"


def interval(low, high):
    return Interval(
        low=low, high=high, level=0.95, method="bootstrap-t", resampling_unit="template"
    )


def result(*, steps=(0, 10, 20), public=True, label="model", p_adjusted=0.02):
    models = tuple(
        DiagnosedModel(
            label=f"{label} {place}",
            step=step,
            identity=ModelIdentity(id="m", architecture="GPT2LMHeadModel", n_parameters=1000),
            clipping=ClippingParameters(max_grad_norm=1.0, sources={"max_grad_norm": "flag"}),
        )
        for place, step in enumerate(steps)
    )
    quantities, differences = [], []
    for place, model in enumerate(models):
        common = {"model": model.label, "axis": "gender"}
        quantities.append(Quantity(**common, name="bias_score", value=0.1 + 0.2 * place, n=80))
        for group, value in (("stereotype", 2.0), ("neutral", 1.0)):
            own = {**common, "group": group, "n": 24, "n_templates": 24}
            quantities += [
                Quantity(**own, name="norm_of_mean", value=value, interval=interval(0.5, 3.0)),
                Quantity(**own, name="clip_rate", value=0.5),
                Quantity(**own, name="risk_direction", value=-0.01),
                Quantity(**own, name="risk_magnitude", value=0.03),
                Quantity(**own, name="signal_to_noise", value=None,
                         reason="not run: give --noise-multiplier"),
            ]  # fmt: skip
        quantities.append(
            Quantity(**common, group="stereotype", other="neutral", name="conflict", value=-0.4)
        )
        if place:
            differences.append(
                GroupDifference(**common, group="stereotype", other="neutral", scale="log_ratio",
                                name="convergence_disparity", difference=0.2 * place,
                                interval=interval(-0.1, 0.6), p_value=0.2, p_adjusted=0.4)
            )  # fmt: skip
    series = all(step is not None for step in steps) and len(steps) > 1
    differences.append(
        GroupDifference(model=None if series else models[0].label, axis="gender",
                        group="stereotype", other="neutral", scale="log_ratio",
                        name="area_between_curves" if series else "norm_of_mean",
                        difference=0.7, interval=interval(0.2, 1.2), p_value=0.01,
                        p_adjusted=p_adjusted, primary=True, correction="holm")
    )  # fmt: skip
    return DiagnosticsResult(
        models=models,
        groups=(
            ProbeGroup(axis="gender", group="stereotype", n=24, n_templates=24),
            ProbeGroup(axis="gender", group="neutral", n=24, n_templates=24),
            ProbeGroup(axis="gender", group="other", n=3, n_templates=3, reason="fewer than 5"),
        ),
        quantities=tuple(quantities),
        differences=tuple(differences),
        provenance=DiagnosticsProvenance(
            texts="built-in", texts_hash="ab", texts_public=public, settings={"seed": 0}
        ),
        notes=("A note.",),
        run=Run(started="2026-01-01T00:00:00", finished="x", seconds=1.0, host="h"),
    )


def terminal(found):
    console = Console(file=io.StringIO(), width=80, no_color=True)
    console.print(render_terminal(found))
    return console.file.getvalue()


def test_the_answer_names_the_clearest_difference():
    text = summary.answer(result())
    assert text.startswith("1 of 1 comparison shows a difference between groups")
    assert "stereotyped against neutral texts (gender), is larger (adjusted p 0.020)" in text
    assert "No difference in convergence" in summary.answer(result(p_adjusted=0.3))


def test_the_page_holds_every_part():
    found = result()
    page = render_html(found, figures(found))
    parts = (
        "area between curves", "Disparity beside the bias change", "give --noise-multiplier",
        "fewer than 5", "A note.", "step 20", "How to read this", "data:image/png",
    )  # fmt: skip
    for part in parts:
        assert part.lower() in page.lower(), part
    assert len(page) < 2_000_000
    assert "not covered" not in page
    private = result(public=False)
    assert "not covered by the privacy guarantee" in render_html(private, {})
    assert "not covered by the privacy guarantee" in terminal(private).replace("\n", " ")


def test_figures_are_those_that_have_data():
    assert set(figures(result())) == {
        "norms", "disparity", "clip_rate", "cosines", "decomposition", "bias",
    }  # fmt: skip
    assert set(figures(result(steps=(None,)))) == {"norms", "clip_rate", "cosines", "decomposition"}
    assert figures(result()) == figures(result())


def test_hostile_names_stay_text(tmp_path):
    found = result(label=HOSTILE, steps=(None, None))
    page = render_html(found, figures(found))
    assert "<script" not in page
    shown = terminal(found)
    assert "\x1b[31m" not in shown
    assert "[bold]x" in shown


def test_arms_show_the_bias_change_from_the_first_model():
    changes = [arm.bias_change for arm in view.arms(result())]
    assert changes == [0.0, pytest.approx(0.2), pytest.approx(0.4)]
    assert [len(arm.disparities) for arm in view.arms(result())] == [0, 1, 1]


def test_a_saved_result_reads_back_and_loses_old_figures(tmp_path):
    found = result()
    found.save(tmp_path)
    write_report(found, tmp_path)
    assert (tmp_path / "figures/disparity.png").exists()
    assert DiagnosticsResult.load(tmp_path).to_json() == found.to_json()
    write_report(result(steps=(None,)), tmp_path)
    assert not (tmp_path / "figures/disparity.png").exists()
    with pytest.raises(ResultError, match="no table of records"):
        DiagnosticsResult.load(tmp_path).records("nobody")
    with pytest.raises(ResultError, match="holds another result"):
        result(label="other").save(tmp_path)


def test_frames_and_keys():
    found = result()
    frame = found.to_frame()
    assert len(frame) == len(found.quantities)
    assert frame.loc[frame.name == "norm_of_mean", "low"].eq(0.5).all()
    assert found.quantity("bias_score", axis="gender").value == pytest.approx(0.5)
    with pytest.raises(KeyError):
        found.quantity("nothing", axis="gender")
    with pytest.raises(ValueError, match="two entries share a key"):
        DiagnosticsResult(
            **{
                **found.model_dump(by_alias=True),
                "quantities": [found.quantities[0], found.quantities[0]],
            }
        )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("clip_rate", 0.125, "12.5 %"),
        ("norm_of_mean", 12345.0, "12,345"),
        ("curvature_trace", -1995.4, "−1,995"),
        ("bias_influence_clipped_gender", -4.37e-05, "−4.37e−05"),
        ("conflict", -0.25, "−0.250"),
        ("loss", None, "–"),
    ],
)
def test_values_in_words(name, value, shown):
    assert words.quantity(value, names.meaning_of(name).unit) == shown


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs chromium")
def test_the_page_shows_in_a_browser(tmp_path):
    found = result()
    page = tmp_path / "report.html"
    page.write_text(render_html(found, figures(found)), encoding="utf-8")
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip
    assert "Do groups converge differently?" in done.stdout


def test_report_finds_out_what_lies_in_a_folder_and_writes_a_summary(tmp_path):
    found = result(label=HOSTILE)
    found.save(tmp_path)
    write_report(load_result(tmp_path), tmp_path)
    text = (tmp_path / "summary.md").read_text()
    assert "**1 of 1 comparison shows a difference" in text
    assert "| Gender, stereotyped | 2 | 50.0 % | – | – |" in text
    assert "**Signal to noise**: give --noise-multiplier" in text
    # Names stand in code spans, where Markdown reads nothing.
    assert "<script" not in re.sub("`[^`]*`", "", text)


def with_fingerprint(identity, fingerprint):
    return identity.model_copy(update={"fingerprint": fingerprint})


def test_a_comparison_shows_the_disparity_beside_its_biases(tmp_path):
    compared = comparisons.whole_comparison(1)
    name = compared.candidates[0]
    base = compared.provenance.baseline.model
    provenance = compared.provenance.candidates[name]
    other = provenance.model_copy(update={"model": with_fingerprint(base, "other")})
    compared = compared.model_copy(
        update={"provenance": compared.provenance.model_copy(update={"candidates": {name: other}})}
    )
    diagnosis = result(steps=(None, None))
    models = tuple(
        model.model_copy(update={"identity": with_fingerprint(model.identity, mark)})
        for model, mark in zip(diagnosis.models, (base.fingerprint, "other"), strict=True)
    )
    same = diagnosis.model_copy(update={"models": models})
    rows = beside(compared, same)
    assert {row.candidate for row in rows} == {compared.candidates[0]}
    assert [row.axis for row in rows] == ["gender"]
    assert beside(compared, diagnosis) == ()
    same.save(tmp_path / "diagnostics")
    write_report(compared, tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "Gradient disparity beside the bias change" in page
    assert "stereotyped against neutral: <span" in page
