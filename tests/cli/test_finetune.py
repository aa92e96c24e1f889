"""``fairaudit finetune`` as a stranger would use it: real runs, one-line errors, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fairaudit.auditing.run_audit import audit
from fairaudit.cli.app import app
from fairaudit.errors import FairauditError
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.results.training import TrainingRecord
from tests.cli.test_cli import fairaudit, one_line_error
from tests.conftest import CORPUS
from tests.waiting import PATIENCE, wait_until

TEXTS = [f"{sentence} {number}" for number in range(5) for sentence in CORPUS]


@pytest.fixture(scope="module")
def train_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "train.txt"
    path.write_text("\n".join(TEXTS) + "\n")
    return path


@pytest.fixture(scope="module")
def private(checkpoint, train_file, tmp_path_factory):
    """One DP + CDA fine-tuning by the program."""
    folder = tmp_path_factory.mktemp("models") / "dp_cda"
    done = fairaudit(
        "finetune", checkpoint("gpt2"), "--train", train_file, "--output", folder,
        "--epsilon", "3", "--cda", "gender", "--steps", "4", "--batch-size", "10", "--lora", "2",
        "--micro-batch-size", "3",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_private_run_says_what_it_did_and_claims(private):
    folder, done = private
    assert "dp_cda: 30 records, 4 steps of 10 expected records" in done.stdout
    assert "not covered by any guarantee" in done.stdout
    claim = PrivacyStatement.load(folder)
    assert 2.9 < claim.epsilon <= 3.0
    assert f"epsilon {claim.epsilon:.4g} at delta" in done.stdout
    assert TrainingRecord.load(folder).lora.rank == 2
    assert "loss" not in done.stdout
    assert done.stderr == ""


def here(*arguments):
    """Run the program in this process, which saves the imports."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_the_model_can_be_verified_and_audited(private, tmp_path):
    folder, _ = private
    verified = here("verify", folder)
    assert verified.exit_code == 0
    assert "consistent with its declared parameters" in " ".join(verified.stdout.split())
    suite = tmp_path / "mine.csv"
    rows = [
        f"gender,female,The {name} said she was late.,The {name} said he was late."
        for name in ("nurse", "clerk", "singer", "doctor", "baker", "tailor", "writer", "cook")
    ]
    suite.write_text("\n".join(["axis,group,stereotype,anti_stereotype", *rows]))
    result = audit(folder, suites=[str(suite)])
    assert result.privacy["epsilon"] == PrivacyStatement.load(folder).epsilon
    assert result.provenance.training["arm"] == "dp_cda"
    assert "clip_rate" not in result.to_json()


def test_a_tampered_claim_fails_verification(private, tmp_path):
    claim = json.loads((private[0] / "privacy.json").read_text())
    for change, message in {
        ("epsilon", 0.5): "epsilon 0.5 is claimed, the parameters give",
        ("unit", "user"): "changed after it was written",
        ("steps", -1): "steps",
        ("noise_seed", 3): "noise_seed",
    }.items():
        (tmp_path / "privacy.json").write_text(json.dumps({**claim, **dict([change])}))
        done = here("verify", tmp_path)
        assert done.exit_code != 0
        assert message in " ".join(f"{done.output} {done.exception}".split())


def test_plain_and_clipped_runs_claim_nothing(checkpoint, train_file, tmp_path):
    for name, options in {"plain": (), "clip_only": ("--max-grad-norm", "1")}.items():
        done = here(
            "finetune", checkpoint("bert"), "--train", train_file, "--output", tmp_path / name,
            "--steps", "2", *options,
        )  # fmt: skip
        assert done.exit_code == 0
        assert "no privacy guarantee" in done.stdout
        assert TrainingRecord.load(tmp_path / name).arm == name
        assert "no such file" in str(here("verify", tmp_path / name).exception)


@pytest.mark.long
def test_an_interrupted_run_says_how_to_go_on_and_does(checkpoint, train_file, tmp_path):
    options = (
        "finetune", checkpoint("gpt2"), "--train", train_file, "--output", tmp_path / "out",
        "--steps", "400", "--batch-size", "10", "--epsilon", "8",
    )  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "fairaudit", *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
        # A shell's background job ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    log = tmp_path / "out" / "private" / "log.jsonl"
    wait_until(lambda: log.exists() and log.read_text(), lambda: running.poll() is None)
    running.send_signal(signal.SIGINT)
    _, stderr = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130, stderr
    assert stderr == "fairaudit: interrupted; the same command with --resume goes on\n"
    kept = len(log.read_text().splitlines())
    assert "unfinished run; go on with --resume" in str(here(*options).exception)
    changed = here(*options[:-1], "7", "--resume")
    assert "epsilon was 8.0 when the run began" in str(changed.exception)
    assert len(log.read_text().splitlines()) == kept
    assert here(*options, "--resume").exit_code == 0
    assert len(log.read_text().splitlines()) == 400
    assert here("verify", tmp_path / "out").exit_code == 0


@pytest.mark.long
def test_a_full_disk_is_one_line_and_leaves_no_half_model(checkpoint, train_file, tmp_path):
    """A limit on the size of files, which the state meets as it would meet a full disk."""
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))\n"
        "from fairaudit.__main__ import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "finetune", str(checkpoint("gpt2")), "--train",
         str(train_file), "--output", str(tmp_path / "out"), "--steps", "2"],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    one_line_error(done, 2, "cannot write")
    known = {"out", "private", ".lock", "README.txt", ".gitignore", "data.json"}
    assert {path.name for path in tmp_path.rglob("*")} <= known


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epsilon", "0"], "epsilon must be above 0"),
        (["--epsilon", "3", "--delta", "1"], "delta must lie between 0 and 1"),
        (["--epsilon", "3", "--delta", "0.9"], "delta 0.9 allows every record to be revealed"),
        (["--delta", "0.001"], "--delta has no effect without --epsilon"),
        (["--delta", "0.001", "--max-grad-norm", "1"], "--delta has no effect without --epsilon"),
        (["--cda-mode", "separate"], "cda mode 'separate' has no effect without cda"),
        (["--batch-size", "31"], "larger than the 30 records"),
        (["--train", "/nowhere.txt"], "no such file"),
        (["--unit-column", "who"], "has no unit column"),
        (["--objective", "masked"], "is a causal model"),
        (["--cda", "weather"], "weather"),
        (["--row-epsilon", "3"], "use epsilon"),
        (["--resume"], "no unfinished run"),
        (["--output", "MODEL"], "already holds another model"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(
    checkpoint, train_file, tmp_path, arguments, message
):
    model = str(checkpoint("gpt2"))
    done = here(
        "finetune", model, "--train", train_file, "--output", tmp_path / "out",
        *(model if argument == "MODEL" else argument for argument in arguments),
    )  # fmt: skip
    assert isinstance(done.exception, FairauditError)
    assert done.exception.exit_code == 2
    assert re.search(message, str(done.exception))
    assert "\n" not in str(done.exception)
    assert not (tmp_path / "out").exists()
