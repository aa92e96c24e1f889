"""Text classifiers: small ones, trained here, and everything that can be wrong with one."""

from __future__ import annotations

import math
import shutil

import pytest
import torch
import transformers as tf

from fairaudit.errors import ModelError
from fairaudit.items import Continuation, Item, Skipped
from fairaudit.scoring.texts import classifier as module
from fairaudit.scoring.texts.checkpoint import (
    Address,
    LoadedClassifier,
    address,
    load_classifier,
)
from fairaudit.scoring.texts.classifier import (
    Classifier,
    regard_classifier,
    toxicity_classifier,
)
from fairaudit.scoring.texts.masking import masked
from fairaudit.scoring.texts.registry import text_scorers
from tests.architectures import build
from tests.classifiers import BAD, GOOD, HOSTILE, save, sentences, trained

REGARD = ("negative", "neutral", "positive", "other")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("classifiers")
    return {
        "toxic": save(root / "toxic"),
        "gpt2": save(root / "gpt2", "gpt2"),
        "many": save(
            root / "many",
            labels=("Insult", "Toxic", "threat"),
            problem="multi_label_classification",
        ),
        "one": save(root / "one", labels=("hate",), bad=0),
        "regard": save(root / "regard", labels=REGARD, bad=0),
        "unnamed": save(root / "unnamed", labels=("LABEL_0", "LABEL_1"), steps=1),
    }


def said(text: str, prompt: str = "The woman was", mention: str | None = "The woman"):
    facts = {} if mention is None else {"mention": mention}
    return Continuation(
        Item("i", "gender", "female", "c", {"prompt": prompt}, facts=facts), prompt, text
    )


def values(scorer, texts, label):
    return [answer[label] for answer in scorer.score([said(text) for text in texts])]


@pytest.mark.parametrize("kind", ["toxic", "gpt2", "many", "one"])
def test_a_classifier_tells_bad_from_good(folders, kind):
    scorer = toxicity_classifier(folders[kind])
    assert min(values(scorer, sentences(BAD), "toxic")) > 0.9
    assert max(values(scorer, sentences(GOOD), "toxic")) < 0.1


def test_the_whole_class_vector_is_kept(folders):
    two = toxicity_classifier(folders["toxic"]).score([said("the man was poor")])[0]
    assert set(two) == {"neutral", "toxic"}
    assert sum(two.values()) == pytest.approx(1)
    many = toxicity_classifier(folders["many"])
    assert many.labels == ("insult", "toxic", "threat")
    answer = many.score([said("the man was poor")])[0]
    # Labels that may hold together are sigmoids: here toxic and nothing else, of no fixed sum.
    assert answer["toxic"] > 0.9
    assert answer["threat"] < 0.1


@pytest.mark.parametrize("mixed", [False, True], ids=["padding", "rows"])
def test_texts_that_change_each_other_run_so_that_they_do_not(mixed):
    """Issue 18, item 10: a classifier with convolutions, and one that sees the whole batch."""
    encoder, tokenizer = build("convbert")
    torch.manual_seed(0)
    model = tf.ConvBertForSequenceClassification(encoder.config).eval()
    model.load_state_dict(encoder.state_dict(), strict=False)
    with torch.no_grad():  # A head as initialised hides what padding changes.
        for parameter in model.classifier.parameters():
            parameter.mul_(20.0)
    if mixed:
        embedding = model.get_input_embeddings()
        embedding.register_forward_hook(lambda _module, _args, out: out + out.mean(0))
    loaded = LoadedClassifier(
        model=model, tokenizer=tokenizer, id="c", labels=("neutral", "toxic"), reading="softmax",
        longest=64, vocabulary_size=len(tokenizer),
    )  # fmt: skip
    names = {"neutral": "neutral", "toxic": "toxic"}
    one, all_ = (Classifier(loaded, names, lambda t: t.text, budget) for budget in (1, 4096))
    texts = ["He was tired.", "She was tired.", "The old man from the north was a poor farmer."]
    assert values(all_, texts, "toxic") == pytest.approx(values(one, texts, "toxic"), abs=1e-5)
    assert all_.batching == ("single" if mixed else "equal_lengths")


def test_batches_change_nothing(folders):
    texts = [*sentences(BAD), "the man was poor " * 5, *sentences(GOOD), sentences(BAD)[0]]
    whole = toxicity_classifier(folders["gpt2"])
    single = toxicity_classifier(folders["gpt2"], token_budget=1)
    assert values(whole, texts, "toxic") == pytest.approx(values(single, texts, "toxic"), abs=1e-5)


def test_what_is_cut_off_is_counted_and_scored(folders):
    scorer = toxicity_classifier(folders["toxic"])
    assert len(values(scorer, ["the man was poor", "the man was poor " * 50] * 2, "toxic")) == 4
    assert scorer.n_truncated == 2


def test_a_failed_classification_is_never_toxicity_zero(folders, monkeypatch):
    scorer = toxicity_classifier(folders["toxic"])
    broken = [[math.nan, math.nan], [0.4, 0.6]]
    monkeypatch.setattr(scorer, "_probabilities", lambda batch: broken[: len(batch)])
    answers = scorer.score([said("a long first text of many words"), said("short"), said(" ")])
    assert isinstance(answers[0], Skipped)
    assert answers[1] == {"neutral": 0.4, "toxic": 0.6}
    assert isinstance(answers[2], Skipped)


def test_memory_that_runs_out_splits_the_batch(folders, monkeypatch):
    scorer = toxicity_classifier(folders["toxic"])
    whole = scorer._probabilities
    texts = [*sentences(BAD), "the man was poor and old " * 3]
    wanted = values(scorer, texts, "toxic")

    def small(batch):
        if len(batch) > 2 or len(batch[0]) > 60:
            raise torch.OutOfMemoryError("no memory left")
        return whole(batch)

    monkeypatch.setattr(scorer, "_probabilities", small)
    *short, long = scorer.score([said(text) for text in texts])
    assert [answer["toxic"] for answer in short] == pytest.approx(wanted[:-1], abs=1e-5)
    assert isinstance(long, Skipped)


def test_hostile_texts_are_scored_as_text(folders):
    scorer = toxicity_classifier(folders["toxic"])
    answers = scorer.score([said(text) for text in [*HOSTILE, "[PAD] [SEP] poor"]])
    assert all(answer.keys() == {"neutral", "toxic"} for answer in answers)


def test_the_id_names_the_classifier_and_its_content(folders, tmp_path):
    scorer = toxicity_classifier(folders["toxic"])
    name, _, digits = scorer.id.partition("@")
    assert name == "toxic"
    assert len(digits) == 12
    again = toxicity_classifier(shutil.copytree(folders["toxic"], tmp_path / "copy" / "toxic"))
    other = toxicity_classifier(save(tmp_path / "other" / "toxic", steps=2))
    assert again.id == scorer.id != other.id


def test_an_explicit_label_is_part_of_the_id(folders):
    with pytest.raises(ModelError, match="none of them is known to mean toxic"):
        toxicity_classifier(folders["unnamed"])
    scorer = toxicity_classifier(f"{folders['unnamed']}#LABEL_1")
    assert scorer.labels == ("label_0", "toxic")
    assert scorer.id.endswith("#LABEL_1")
    with pytest.raises(ModelError, match="there is no 'LABEL_7'"):
        toxicity_classifier(f"{folders['unnamed']}#LABEL_7")


def test_addresses_are_taken_apart(tmp_path):
    assert address("a/b") == Address("a/b")
    assert address("a/b@v1#bad") == Address("a/b", "v1", "bad")
    odd = tmp_path / "odd@name#here"
    odd.mkdir()
    assert address(odd) == Address(str(odd))


def test_regard_reads_the_prompt_with_the_mention_masked(folders, monkeypatch):
    scorer = regard_classifier(folders["regard"])
    assert scorer.labels == ("negative", "neutral", "positive", "other")
    read = []
    monkeypatch.setattr(
        scorer, "_probabilities", lambda batch: read.extend(batch) or [[0.25] * 4] * len(batch)
    )
    scorer.score([said(" poor, and the woman knew.")])
    assert read == ["XYZ was poor, and XYZ knew."]


def test_the_group_does_not_change_masked_regard(folders):
    scorer = regard_classifier(folders["regard"])
    answers = [
        scorer.score([said(" poor", f"{who} was", who)])[0] for who in ("The woman", "The man")
    ]
    assert answers[0] == answers[1]
    assert sum(answers[0].values()) == pytest.approx(1)


def test_a_mention_that_is_not_there_cannot_be_masked():
    assert isinstance(masked(said("kind", "The man was")), Skipped)
    assert isinstance(masked(said("kind", mention=None)), Skipped)
    # "man" inside "woman" is no mention.
    assert isinstance(masked(said("kind", "The woman was", "man")), Skipped)
    assert masked(said("kind")) == "XYZ was kind"
    assert masked(said(", they say, kind")) == "XYZ was, they say, kind"


def test_labels_that_are_not_those_of_regard_are_refused(folders):
    with pytest.raises(ModelError, match="not those of regard"):
        regard_classifier(folders["toxic"])


def test_sheng_s_numbers_are_names(tmp_path):
    folder = save(tmp_path / "numbered", labels=("-1", "0", "1", "2"), steps=1)
    assert regard_classifier(folder).labels == ("negative", "neutral", "positive", "other")


def test_what_cannot_be_loaded_is_one_line(folders, tmp_path, checkpoint):
    def refused(source, words):
        with pytest.raises(ModelError, match=words) as raised:
            load_classifier(source)
        assert "\n" not in str(raised.value)

    refused(tmp_path / "nowhere", "no such folder")
    refused("some/classifier@abc1234", "cannot be asked while offline")
    refused(checkpoint("bert"), "no text classifier")
    refused(f"{folders['toxic']}@main", "a folder has no revision")
    model, tokenizer = trained(steps=1)
    tokenizer.save_pretrained(tmp_path / "pickle")
    model.config.save_pretrained(tmp_path / "pickle")
    torch.save(model.state_dict(), tmp_path / "pickle" / "pytorch_model.bin")
    refused(tmp_path / "pickle", "only pickle weights")
    folder = save(tmp_path / "numbers", labels=("score",), problem="regression", bad=0, steps=1)
    refused(folder, "regression")
    headless, tokenizer = trained(steps=1)
    state = {k: v for k, v in headless.state_dict().items() if not k.startswith("classifier")}
    headless.save_pretrained(tmp_path / "headless", state_dict=state)
    tokenizer.save_pretrained(tmp_path / "headless")
    refused(tmp_path / "headless", "weights are missing")
    model.classifier.bias.data[0] = math.nan
    model.save_pretrained(tmp_path / "nan")
    tokenizer.save_pretrained(tmp_path / "nan")
    refused(tmp_path / "nan", "NaN")


def test_a_classifier_comes_through_the_registry(folders):
    made = text_scorers(["toxicity", "regard"], toxicity=folders["toxic"])
    assert made[0].labels == ("neutral", "toxic")
    assert "--regard-classifier" in made[1].reason
    assert module.TOXIC_NAMES[0] == "toxic"
