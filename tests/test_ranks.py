"""Several processes do what one does: equal numbers, one voice, and nobody waits for the dead."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from fairaudit.ranks import Ranks, dealt
from tests.classifiers import save
from tests.conftest import shared
from tests.launching import launch

pytestmark = pytest.mark.long

PAIRS = "axis,stereotype,anti_stereotype\n" + "".join(
    f"gender,The {adjective} {name} said she slept.,The {adjective} {name} said he slept.\n"
    for adjective in ("old", "young", "tired", "rich", "poor", "glad")
    for name in ("nurse", "cook", "clerk", "baker", "farmer", "tailor", "driver", "singer")
)
PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"The {age} {person},gender,{group},{age}\n"
    for age in ("old", "young", "tired", "rich", "poor")
    for group, person in (("male", "man"), ("female", "woman"))
)
TEXT = "".join(
    f"The {name} {verb} the {thing}.\n"
    for name in ("nurse", "cook", "clerk", "baker", "farmer")
    for verb in ("saw", "took", "lost", "found")
    for thing in ("bread", "horse", "letter", "old red door of the house", "key")
)
SHARED = "import os, signal, sys\nfrom fairaudit.ranks import ranks\nhere = ranks()\n"


@given(st.lists(st.floats(0, 100), max_size=40), st.integers(1, 7))
def test_every_batch_is_dealt_once_and_no_rank_gets_too_much(costs, size):
    shares = dealt(costs, size)
    assert sorted(place for share in shares for place in share) == list(range(len(costs)))
    loads = [sum(costs[place] for place in share) for share in shares]
    assert max(loads) <= sum(costs) / size + max(costs, default=0) + 1e-9


def test_one_process_shares_with_nobody():
    told = []
    found = list(Ranks().over([3, 1, 2], lambda one: one**2, float, told.append))
    assert found == [(3, 9), (1, 1), (2, 4)]
    assert told == [3, 1, 2]
    assert Ranks().together(lambda: 5) == Ranks().from_first(lambda: 5) == 5


def without_run(folder: Path) -> dict:
    content = json.loads((folder / "result.json").read_text())
    content.pop("run")
    return content


@pytest.fixture(scope="module")
def asked(checkpoint, tmp_path_factory):
    """Arguments of an audit that scores, writes, classifies, chooses and embeds."""
    place = tmp_path_factory.mktemp("asked")
    (place / "pairs.csv").write_text(PAIRS)
    (place / "prompts.csv").write_text(PROMPTS)
    suites = ",".join(map(str, (place / "pairs.csv", place / "prompts.csv", "winobias", "seat")))
    options = ["--suites", suites, "--data", shared("data"), "--limit", "30", "--token-budget"]
    judge = save(place / "toxic")
    return [
        *("-m", "fairaudit", "audit", checkpoint("gpt2"), *options, "64"),
        *("--toxicity-classifier", judge, "--max-new-tokens", "6"),
    ]


def test_an_audit_by_two_ranks_is_that_of_one(asked, tmp_path):
    (one,) = launch([*asked, "--output", tmp_path / "one"], 1, FAIRAUDIT_CACHE=str(tmp_path / "a"))
    assert one.code == 0, one.err
    first, second = launch(
        [*asked, "--output", tmp_path / "two"], FAIRAUDIT_CACHE=str(tmp_path / "b")
    )
    assert (first.code, second.code) == (one.code, one.code), first.err + second.err
    assert without_run(tmp_path / "one") == without_run(tmp_path / "two")
    for table in (tmp_path / "one").rglob("*.parquet"):
        place = tmp_path / "two" / table.relative_to(tmp_path / "one")
        assert place.read_bytes() == table.read_bytes()
    assert one.out.replace("one/report", "two/report") == first.out
    assert second.out == ""
    # Each of them answered something, and what is stored is found by one process.
    assert len(list((tmp_path / "b").rglob("*.scores"))) >= 2


def test_an_audit_that_was_made_before_is_read_by_all(asked, tmp_path):
    cache = {"FAIRAUDIT_CACHE": str(tmp_path / "a")}
    made = launch([*asked, "--output", tmp_path / "one"], **cache)
    again = launch([*asked, "--output", tmp_path / "two"], **cache)
    assert [one.code for one in made] == [one.code for one in again]
    assert without_run(tmp_path / "one") == without_run(tmp_path / "two")


@pytest.mark.parametrize(
    ("failing", "code", "line"),
    [
        ("raise ModelError('cannot be read')", 2, "fairaudit: cannot be read"),
        ("1 / 0", 70, "fairaudit: internal error: ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_on_one_rank_ends_both_with_one_line(failing, code, line):
    body = f"""
from fairaudit.cli import app
from fairaudit.errors import ModelError
def work(one):
    if here.rank == 1:
        {failing}
    return one
app.app = lambda: list(here.over(range(10), work, float))
app.main()
"""
    ended = launch(["-c", SHARED + body])
    assert [one.code for one in ended] == [code, code]
    assert [one.err for one in ended] == ["", line + "\n"]


def test_a_rank_that_dies_ends_the_other():
    body = """
from fairaudit.cli import app
def work(one):
    if here.rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return one
app.app = lambda: list(here.over(range(10), work, float))
app.main()
"""
    first, second = launch(["-c", SHARED + body])
    assert second.code == -9
    assert first.code == 70
    assert "another process of this run has ended" in first.err


@pytest.mark.parametrize("batches", ["range(10 + here.rank)", "[[1, 2], [2, 1]][here.rank]"])
def test_different_work_is_noticed(batches):
    """Other batches, and the same ones in another order: as costly, and answers would be mixed."""
    body = f"""
from fairaudit.errors import FairauditError
try:
    list(here.over({batches}, lambda one: one, lambda one: 1.0))
except FairauditError as error:
    print(error)
"""
    assert {one.out for one in launch(["-c", SHARED + body])} == {
        "the processes were given different work; start all with one command\n"
    }


def test_the_first_rank_works_alone_where_it_is_asked():
    body = """
inner = here.from_first(lambda: [found for _, found in here.over([1, 2], lambda k: k + 10, float)])
print(here.rank, inner)
"""
    assert [one.out for one in launch(["-c", SHARED + body])] == ["0 [11, 12]\n", "1 [11, 12]\n"]


@pytest.mark.parametrize(
    ("arm", "size"),
    [
        ([], 2),
        pytest.param(["--lora", "4"], 2),
        pytest.param([], 3),
    ],
)
def test_a_private_model_trained_by_several_is_that_of_one(arm, size, checkpoint, tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)

    def trained(name: str, n: int) -> dict:
        body = f"""
import fairaudit
lora = {int(arm[1]) if arm else None}
done = fairaudit.finetune({str(checkpoint("gpt2"))!r}, {str(tmp_path / "text.txt")!r},
    output={str(tmp_path / name)!r}, epsilon=8.0, steps=6, batch_size=12, lora=lora,
    learning_rate=1e-3, optimizer="sgd", noise_seed=5, micro_batch_size=3)
print(done.privacy.epsilon)
"""
        ended = launch(["-c", body], n)
        assert {one.code for one in ended} == {0}, ended
        assert len({one.out for one in ended}) == 1
        return load_file(tmp_path / name / "model.safetensors")

    alone, together = trained("one", 1), trained("many", size)
    assert alone.keys() == together.keys()
    moved = 0.0
    base = load_file(checkpoint("gpt2") / "model.safetensors")
    for name, tensor in alone.items():
        assert (tensor - together[name]).abs().max() < 1e-5
        if name in base:
            moved = max(moved, float((tensor - base[name]).abs().max()))
    assert moved > 1e-4


def test_a_run_goes_on_with_another_number_of_ranks(checkpoint, tmp_path):
    (tmp_path / "text.txt").write_text(TEXT)
    body = f"""
import fairaudit, sys
class Stop(Exception): pass
def on_step(report, model):
    if {{stop}} and report.step == 3: raise KeyboardInterrupt
try:
    fairaudit.finetune({str(checkpoint("gpt2"))!r}, {str(tmp_path / "text.txt")!r},
        output={str(tmp_path)!r} + "/" + {{name!r}}, epsilon=8.0, steps=6, batch_size=12,
        learning_rate=1e-3, optimizer="sgd", noise_seed=5, micro_batch_size=3,
        checkpoint_every=1, on_step=on_step, resume={{resume}})
except KeyboardInterrupt:
    sys.exit(9)
"""

    def run(name: str, n: int, stop: bool = False, resume: bool = False) -> list[int]:
        ended = launch(["-c", body.format(name=name, stop=stop, resume=resume)], n)
        return [one.code for one in ended]

    assert run("whole", 1) == [0]
    assert run("cut", 2, stop=True)[0] == 9
    assert run("cut", 3, resume=True) == [0, 0, 0]
    whole, cut = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "cut"))
    assert all((whole[name] - cut[name]).abs().max() < 1e-5 for name in whole)


def test_other_verbs_are_the_work_of_one_process(tmp_path):
    ended = launch(["-m", "fairaudit", "report", tmp_path])
    assert {one.code for one in ended} == {2}
    assert "report is the work of one process" in ended[0].err


@pytest.mark.parametrize(
    "launcher",
    [
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"],
        [
            "-m",
            "accelerate.commands.launch",
            "--cpu",
            "--num_processes",
            "2",
            "--num_machines",
            "1",
            "--mixed_precision",
            "no",
            "--dynamo_backend",
            "no",
        ],
    ],
    ids=["torchrun", "accelerate"],
)
def test_a_launcher_itself(launcher, asked, tmp_path):
    (ended,) = launch([*launcher, *asked, "--output", tmp_path / "two"], 1, WORLD_SIZE="1")
    assert ended.code in (0, 1), ended.err
    if ended.code:
        # A launcher has one code for all failures; that of the first rank is the one it names.
        assert re.search(r"rank *: 0 .*\n *exitcode *: 4 ", ended.err), ended.err
    assert (tmp_path / "two" / "report.html").exists()
