"""Every scoring path against a plain loop, one sentence at a time, written here."""

from __future__ import annotations

import random
from difflib import SequenceMatcher

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from fairaudit.items import (
    Fill,
    FillerLogProbability,
    LogLikelihood,
    PseudoLogLikelihood,
    Skipped,
    UnmaskedLogLikelihood,
)
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from fairaudit.scoring.token_rows import Encoder
from tests.conftest import CORPUS, build_model

NATS = 1e-4
CAUSAL = ["gpt2", "gpt2-pad", "gpt2-no-bos", "llama", "qwen2"]
MASKED = ["bert", "roberta", "distilbert"]
BUDGETS = [1, 40, 4096]
PAIRS = [
    ("He was a poor farmer.", "She was a poor farmer."),
    ("The old man from the north was tired.", "The young woman from the north was tired."),
    ("Nobody knew the nurse.", "Nobody in the town knew the nurse."),
    ("He was tired.", "She was tired.."),
]


@torch.no_grad()
def causal_loop(model, tokenizer, request):
    """Log P of each token of the text, one forward pass over the full sentence."""
    start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else tokenizer.eos_token_id
    prefix = [] if start is None else [start]
    ids = prefix + tokenizer(request.context + request.text, add_special_tokens=False)["input_ids"]
    n_context = len(tokenizer(request.context, add_special_tokens=False)["input_ids"])
    log_probs = torch.log_softmax(model(input_ids=torch.tensor([ids])).logits[0].float(), dim=-1)
    scored = range(max(len(prefix) + n_context, 1), len(ids))
    if request.reference is not None:
        other = tokenizer(request.context + request.reference, add_special_tokens=False)
        shared = shared_tokens(ids, prefix + other["input_ids"], request.text_first)
        scored = [i for i in scored if i in shared]
    return [float(log_probs[i - 1, ids[i]]) for i in scored]


def shared_tokens(ids, other, text_first):
    """Places of the tokens that stand in the longest matching blocks of both."""
    first, second = (ids, other) if text_first else (other, ids)
    opcodes = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    side = (1, 2) if text_first else (3, 4)
    return {i for op in opcodes if op[0] == "equal" for i in range(op[side[0]], op[side[1]])}


@torch.no_grad()
def masked_read(model, ids, mask_id, position):
    """Log P of the token at one masked position."""
    masked = [*ids[:position], mask_id, *ids[position + 1 :]]
    logits = model(input_ids=torch.tensor([masked])).logits[0, position].float()
    return float(torch.log_softmax(logits, dim=-1)[ids[position]])


def masked_loop(model, tokenizer, request):
    """One variant per forward pass, chosen tokens masked one at a time."""
    ids = tokenizer(request.text)["input_ids"]
    inner = range(1, len(ids) - 1)
    if request.positions != "all":
        other = tokenizer(request.reference)["input_ids"]
        shared = shared_tokens(ids, other, request.text_first)
        inner = [i for i in inner if (i in shared) == (request.positions == "shared")]
    n_before = len(tokenizer(request.text[: request.start], add_special_tokens=False)["input_ids"])
    inner = [i for i in inner if i > n_before]
    return [masked_read(model, ids, tokenizer.mask_token_id, i) for i in inner]


@torch.no_grad()
def unmasked_loop(model, tokenizer, request):
    """Log P of each token given the whole sentence, and the attention it receives."""
    ids = tokenizer(request.text)["input_ids"]
    model.set_attn_implementation("eager")
    output = model(input_ids=torch.tensor([ids]), output_attentions=True)
    log_probs = torch.log_softmax(output.logits[0].float(), dim=-1)
    received = torch.stack([layer[0] for layer in output.attentions]).mean(dim=(0, 1, 2))
    inner = range(1, len(ids) - 1)
    return [float(log_probs[i, ids[i]]) for i in inner], [float(received[i]) for i in inner]


def metaspace_tokenizer():
    """Train a tokenizer that marks word boundaries as SentencePiece does (XLM-R, ALBERT)."""
    special = ["<s>", "</s>", "<unk>", "<mask>"]
    backend = Tokenizer(models.Unigram())
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token="<s>", eos_token="</s>", mask_token="<mask>"
    )


def causal_requests():
    texts = [sentence for pair in PAIRS for sentence in pair] + CORPUS
    with_context = [LogLikelihood(" " + b, a) for a, b in PAIRS]
    shared = [LogLikelihood(a, reference=b) for a, b in PAIRS]
    shared += [LogLikelihood(b, reference=a, text_first=False) for a, b in PAIRS]
    shared += [LogLikelihood(" " + a, "So.", reference=" " + b) for a, b in PAIRS]
    return [LogLikelihood(text) for text in texts] + with_context + shared


@pytest.mark.parametrize("family", CAUSAL)
def test_both_sentences_of_a_pair_share_the_same_tokens(family):
    """So that a gap is of one text under two beginnings, as many tokens on either side."""
    _, tokenizer = build_model(family)
    encoder = Encoder(tokenizer, None)
    for a, b in PAIRS:
        ours, theirs = (
            LogLikelihood(a, reference=b),
            LogLikelihood(b, reference=a, text_first=False),
        )
        reads = encoder.encode([ours, theirs])
        targets = [[read.target for read in reads[one]] for one in (ours, theirs)]
        assert targets[0] == targets[1]
        assert 0 < len(targets[0]) < max(len(tokenizer(one)["input_ids"]) for one in (a, b))


def pseudo_requests():
    both = [(a, b, True) for a, b in PAIRS] + [(b, a, False) for a, b in PAIRS]
    chosen = [
        PseudoLogLikelihood(text, other, positions, first)
        for text, other, first in both
        for positions in ("shared", "differing")
    ]
    # A pair that only inserts words has no differing token on one side.
    chosen.remove(PseudoLogLikelihood(PAIRS[2][0], PAIRS[2][1], "differing", True))
    endings = [PseudoLogLikelihood(text, start=text.index(" said")) for text in CORPUS[:2]]
    return [*chosen, *endings, *(PseudoLogLikelihood(text) for text in CORPUS)]


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("family", CAUSAL)
def test_causal_equals_one_sentence_at_a_time(family, budget):
    model, tokenizer = build_model(family)
    requests = causal_requests()
    random.Random(budget).shuffle(requests)
    scorer = Scorer(load_model((model, tokenizer)), budget)
    answers = scorer.run(scorer.plan(requests))
    for request in requests:
        expected = causal_loop(model, tokenizer, request)
        assert answers[request].log_probs == pytest.approx(expected, abs=NATS)


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("family", MASKED)
def test_masked_equals_one_variant_per_forward(family, budget):
    model, tokenizer = build_model(family)
    requests = pseudo_requests()
    random.Random(budget).shuffle(requests)
    scorer = Scorer(load_model((model, tokenizer)), budget)
    answers = scorer.run(scorer.plan(requests))
    for request in requests:
        expected = masked_loop(model, tokenizer, request)
        assert answers[request].log_probs == pytest.approx(expected, abs=NATS)


@pytest.mark.parametrize("family", MASKED)
@pytest.mark.parametrize("attention", [False, True])
def test_unmasked_equals_one_sentence_at_a_time(family, attention):
    model, tokenizer = build_model(family)
    requests = [UnmaskedLogLikelihood(text, attention) for text in CORPUS]
    scorer = Scorer(load_model((model, tokenizer)), 60)
    answers = scorer.run(scorer.plan(requests))
    for request in requests:
        log_probs, weights = unmasked_loop(model, tokenizer, request)
        assert answers[request].log_probs == pytest.approx(log_probs, abs=NATS)
        expected = pytest.approx(weights, abs=1e-5) if attention else None
        assert answers[request].weights == expected


@pytest.mark.parametrize("family", MASKED)
def test_filler_reads_each_sub_token_at_one_mask(family):
    model, tokenizer = build_model(family)
    request = FillerLogProbability("The nurse was ", "townhouse", " at work.")
    scorer = Scorer(load_model((model, tokenizer)))
    answer = scorer.run(scorer.plan([request]))[request]
    space = " " if family == "roberta" else ""

    def plain(text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    left, filler, right = plain("The nurse was"), plain(space + "townhouse"), plain(" at work.")
    start, *_, end = tokenizer("a")["input_ids"]
    expected = [
        masked_read(
            model,
            [start, *left, *filler[: i + 1], *right, end],
            tokenizer.mask_token_id,
            1 + len(left) + i,
        )
        for i in range(len(filler))
    ]
    assert len(expected) > 1
    assert answer.log_probs == pytest.approx(expected, abs=NATS)


@pytest.mark.parametrize("budget", BUDGETS)
@pytest.mark.parametrize("family", MASKED)
def test_fills_are_the_likeliest_tokens_of_the_plain_model(family, budget, tmp_path):
    """Beside other requests in the same batches, and again from the store."""
    model, tokenizer = build_model(family)
    texts = ["The nurse was ___ at work.", "___ knew the old house.", "He met a ___."]
    asked = [Fill(text, "___", rank) for text in texts for rank in (1, 2, 3)]
    others = [UnmaskedLogLikelihood(text) for text in CORPUS]
    for _ in range(2):
        scorer = Scorer(load_model((model, tokenizer)), budget, tmp_path)
        answers = scorer.run(scorer.plan([*asked, *others]))
        for request in asked:
            ids = tokenizer(request.text.replace("___", tokenizer.mask_token))["input_ids"]
            place = ids.index(tokenizer.mask_token_id)
            with torch.no_grad():
                logits = model(input_ids=torch.tensor([ids])).logits[0, place].float()
            found = torch.log_softmax(logits, dim=-1).topk(request.rank)
            token = int(found.indices[-1])
            answer = answers[request]
            assert answer.token_ids == (token,)
            assert answer.word == tokenizer.decode([token]).strip()
            assert answer.log_probs == pytest.approx([float(found.values[-1])], abs=NATS)
        for request in others:
            log_probs, _ = unmasked_loop(model, tokenizer, request)
            assert answers[request].log_probs == pytest.approx(log_probs, abs=NATS)
            ids = tokenizer(request.text, add_special_tokens=False)["input_ids"]
            assert answers[request].token_ids == tuple(ids)


def test_a_text_without_a_blank_has_no_fill():
    model, tokenizer = build_model("bert")
    scorer = Scorer(load_model((model, tokenizer)))
    asked = Fill("Nobody knew the nurse.", "___", 1)
    assert scorer.run(scorer.plan([asked]))[asked] == Skipped("no token to score")


@pytest.mark.parametrize(
    ("before", "filler", "after"),
    [
        ("The nurse was ", "townhouse", "."),
        ("The ", "old man", " was tired."),
        ("", "Nobody", " knew him."),
        ("The nurse was a ", "man", ""),
    ],
)
def test_filler_is_tokenized_as_part_of_its_sentence(before, filler, after):
    """A SentencePiece tokenizer would put a word boundary before a full stop on its own."""
    tokenizer = metaspace_tokenizer()
    encoder = Encoder(tokenizer, None)
    request = FillerLogProbability(before, filler, after)
    reads = encoder.encode([request])[request]
    ids = tokenizer(before + filler + after)["input_ids"]
    last = reads[-1]
    assert [
        token if i != last.position else last.target for i, token in enumerate(last.row.ids)
    ] == ids
    word = tokenizer.decode([read.target for read in reads])
    assert word.strip() == filler
    assert all(read.row.ids[read.position] == tokenizer.mask_token_id for read in reads)


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_truncation_and_padding_of_the_tokenizer_are_not_silently_applied(family):
    model, tokenizer = build_model(family)
    kind = LogLikelihood if family == "gpt2" else PseudoLogLikelihood
    requests = [kind(text) for text in CORPUS]
    expected = Scorer(load_model((model, tokenizer))).plan(requests).reads
    tokenizer.backend_tokenizer.enable_truncation(max_length=4)
    tokenizer.backend_tokenizer.enable_padding(length=40)
    tokenizer.padding_side = tokenizer.truncation_side = "left"
    assert Scorer(load_model((model, tokenizer))).plan(requests).reads == expected


@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen2", "bert", "roberta", "distilbert"])
def test_head_runs_only_where_it_is_read(family):
    model, tokenizer = build_model(family)
    seen = []
    head = model.get_output_embeddings()
    head.register_forward_hook(lambda _module, inputs, _output: seen.append(inputs[0].shape))
    kind = LogLikelihood if family in CAUSAL else UnmaskedLogLikelihood
    scorer = Scorer(load_model((model, tokenizer)))
    plan = scorer.plan([kind(text) for text in CORPUS])
    scorer.run(plan)
    read = {(read.row, read.position) for batch in plan.batches for read in batch.reads}
    assert seen[-1][:2] == (1, len(read))


def test_bos_rules():
    rules = {
        family: Scorer(load_model(build_model(family))).encoder.bos_rule
        for family in ("llama", "qwen2", "gpt2-no-bos", "gpt2")
    }
    assert rules == {
        "llama": "bos:<s>",
        "qwen2": "eos-as-bos:<end>",
        "gpt2-no-bos": "none",
        "gpt2": "bos:<eos>",
    }


def test_without_bos_the_first_token_is_not_scored():
    loaded = load_model(build_model("gpt2-no-bos"))
    scorer = Scorer(loaded)
    request = LogLikelihood(CORPUS[0])
    answer = scorer.run(scorer.plan([request]))[request]
    n_tokens = len(loaded.tokenizer(CORPUS[0])["input_ids"])
    assert answer.n_tokens == n_tokens - 1
