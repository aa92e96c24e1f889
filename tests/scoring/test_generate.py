"""Completions: the texts of one prompt at a time, draws that belong to the prompt, resuming."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from fairaudit.errors import ModelError, NonFiniteError, UsageError
from fairaudit.items import Completions, Decoding, Generation, Skipped
from fairaudit.scoring import generate_loop
from fairaudit.scoring.chat import Chat
from fairaudit.scoring.generate import Generator, stop_ids
from fairaudit.scoring.generate_plan import Prompt, PromptBatch, plan_prompts
from fairaudit.scoring.load import load_model
from fairaudit.scoring.sampling import inverse_cdf, next_tokens, uniforms
from fairaudit.scoring.text_store import TextStore
from tests.conftest import build_model

FAMILIES = ["gpt2", "gpt2-pad", "gpt2-no-bos", "llama", "qwen2"]
PROMPTS = [
    "The nurse",
    "The doctor said that she",
    "He",
    "Most people in the small town knew",
    "A man from the north and a woman from the south met at",
]
GREEDY = Decoding(max_new_tokens=12, do_sample=False)
SAMPLED = Decoding(n=3, max_new_tokens=12, seed=5)


@pytest.fixture(params=FAMILIES)
def loaded(request):
    return load_model(build_model(request.param), device="cpu")


def written(generator, prompts, decoding):
    requests = [Generation(prompt, decoding) for prompt in prompts]
    answers = generator.run(generator.plan(requests))
    return [answers[request] for request in requests]


@torch.inference_mode()
def one_at_a_time(loaded, generator, prompt, steps):
    """Greedy text by the whole sequence again and again: no padding, no cache."""
    ids = list(generator._encoder.prompt(prompt))
    new = []
    for _ in range(steps):
        token = int(loaded.model(torch.tensor([ids + new])).logits[0, -1].argmax())
        if token in stop_ids(loaded):
            break
        new.append(token)
    return loaded.tokenizer.decode(new)


def test_greedy_texts_are_those_of_one_prompt_at_a_time(loaded):
    generator = Generator(loaded)
    found = written(generator, PROMPTS, GREEDY)
    for prompt, completions in zip(PROMPTS, found, strict=True):
        assert completions.texts == (one_at_a_time(loaded, generator, prompt, 12),)


@pytest.mark.parametrize("batching", ["padded", "equal_lengths", "single"])
def test_completions_do_not_depend_on_what_else_is_written(loaded, monkeypatch, batching):
    """Order, other prompts, batch size, padding or equal lengths: always the same texts."""
    monkeypatch.setattr(generate_loop, "find_batching", lambda *_: batching)
    together = written(Generator(loaded), PROMPTS, SAMPLED)
    backwards = written(Generator(loaded, token_budget=1), PROMPTS[::-1], SAMPLED)
    assert together == backwards[::-1]
    assert written(Generator(loaded), PROMPTS[1:2], SAMPLED) == together[1:2]


def test_more_samples_and_longer_limits_go_on_where_fewer_and_shorter_stop(loaded):
    more = replace(SAMPLED, n=5, max_new_tokens=20)
    pairs = zip(*(written(Generator(loaded), PROMPTS, d) for d in (SAMPLED, more)), strict=True)
    for few, many in pairs:
        assert len(set(many.texts)) > 1
        for short, long, ended in zip(few.texts, many.texts, few.ended, strict=False):
            # The last character of a cut text may be half a character of the longer one.
            assert short == long if ended else long.startswith(short.rstrip("�"))


def test_another_seed_gives_other_texts(loaded):
    first, second = (
        written(Generator(loaded), PROMPTS, replace(SAMPLED, seed=seed)) for seed in (0, 1)
    )
    assert all(a.texts != b.texts for a, b in zip(first, second, strict=True))


def test_torchs_own_random_numbers_are_left_alone(loaded):
    before = torch.get_rng_state()
    written(Generator(loaded), PROMPTS, SAMPLED)
    assert torch.equal(before, torch.get_rng_state())


def test_draws_follow_the_models_distribution():
    """Chi-square of 8000 first tokens against the softmax: deterministic by its seed."""
    loaded = load_model(build_model("gpt2"), device="cpu")
    generator = Generator(loaded)
    draws = 8000
    prompt = Prompt(generator._encoder.prompt("The nurse"), Decoding(n=draws, max_new_tokens=1))
    (found,) = generator._writer(PromptBatch((prompt,)))
    tokens = [one.ids[0] if one.ids else 0 for one in found]
    with torch.inference_mode():
        logits = loaded.model(torch.tensor([prompt.ids])).logits[0, -1]
    expected = torch.softmax(logits, -1).double().numpy() * draws
    counts = np.bincount(tokens, minlength=len(expected))
    often = expected >= 10
    statistic = float(((counts - expected)[often] ** 2 / expected[often]).sum())
    df = int(often.sum())
    assert df > 50
    assert abs(statistic - df) < 4 * math.sqrt(2 * df)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({}, {0, 1, 2, 3}),
        ({"top_k": 2}, {1, 3}),
        ({"top_p": 0.5}, {1}),
        ({"top_p": 0.51}, {1, 3}),
        ({"top_k": 3, "top_p": 0.99}, {1, 3, 0}),
        ({"temperature": 1e-3}, {1}),
    ],
)
def test_truncation_by_hand(options, kept):
    """P = 0.15, 0.5, 0.05, 0.3."""
    logits = torch.tensor([[0.15, 0.5, 0.05, 0.3]]).log().repeat(1000, 1)
    numbers = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
    assert set(next_tokens(logits, numbers, Decoding(**options)).tolist()) == kept


def test_inverse_cdf_by_hand_never_draws_what_cannot_be():
    weights = torch.tensor([[0.0, 0.25, 0.0, 0.75, 0.0]]).repeat(5, 1)
    numbers = torch.tensor([0.0, 0.2499, 0.25, 0.9, 1 - 2**-53], dtype=torch.float64)
    assert inverse_cdf(weights, numbers).tolist() == [1, 1, 3, 3, 3]


def test_streams_of_prompts_and_samples_differ_and_stay():
    decoding = Decoding(n=2, max_new_tokens=3)
    first, other = (uniforms(Prompt(ids, decoding)) for ids in ((1, 2), (1, 3)))
    assert first.shape == (2, 3)
    assert len(np.unique([*first.ravel(), *other.ravel()])) == 12
    assert np.array_equal(first, uniforms(Prompt((1, 2), decoding)))


def test_a_text_ends_at_the_end_token_and_says_so():
    """A model that writes EOS after everything: empty completions, all ended."""
    model, tokenizer = build_model("gpt2-pad")
    with torch.no_grad():
        model.transformer.wte.weight[1:] = 0
        model.transformer.ln_f.bias[:] = model.transformer.wte.weight[0] * 10
    loaded = load_model((model, tokenizer), device="cpu")
    (found,) = written(Generator(loaded), ["The nurse"], replace(GREEDY, n=1))
    assert found == Completions(texts=("",), n_tokens=(0,), ended=(True,))


def test_completions_that_ended_leave_the_batch(loaded, monkeypatch):
    """Dropping them changes no text; fewer sequences are read than without it."""
    tokens = range(len(loaded.tokenizer))
    monkeypatch.setattr(
        "fairaudit.scoring.generate.stop_ids",
        lambda _loaded: frozenset(token for token in tokens if token % 5 == 0),
    )
    sizes = []
    read = generate_loop._Sequences._read
    monkeypatch.setattr(
        generate_loop._Sequences,
        "_read",
        lambda self, ids: (sizes.append(len(ids)), read(self, ids))[1],
    )
    shrinking = written(Generator(loaded), PROMPTS, SAMPLED)
    assert min(sizes[1:]) < len(PROMPTS) * SAMPLED.n
    assert any(ended for completions in shrinking for ended in completions.ended)
    monkeypatch.setattr(generate_loop, "_ENDED_SHARE", 2.0)
    assert written(Generator(loaded), PROMPTS, SAMPLED) == shrinking


def test_a_model_without_a_cache_reads_everything_again(loaded, monkeypatch):
    expected = written(Generator(loaded), PROMPTS, SAMPLED)
    forward = loaded.model.forward

    def forgetful(**inputs):
        assert "past_key_values" not in inputs
        output = forward(**inputs)
        output.past_key_values = None
        return output

    forgetful.__signature__ = inspect.signature(forward)
    monkeypatch.setattr(loaded.model, "forward", forgetful)
    assert written(Generator(loaded), PROMPTS, SAMPLED) == expected


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_an_adapter_in_memory_writes_as_its_merged_model_does(family):
    peft = pytest.importorskip("peft")
    model, tokenizer = build_model(family)
    targets = "all-linear" if family == "llama" else ["c_attn"]
    config = peft.LoraConfig(
        task_type="CAUSAL_LM", target_modules=targets, fan_in_fan_out=family == "gpt2"
    )
    adapted = peft.get_peft_model(model, config).eval()
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.5)
    generator = Generator(load_model((adapted, tokenizer), device="cpu"))
    assert generator.batching == "padded"
    found = written(generator, PROMPTS, SAMPLED)
    merged = load_model((adapted.merge_and_unload(), tokenizer), device="cpu")
    assert found == written(Generator(merged), PROMPTS, SAMPLED)


def test_prompts_that_do_not_fit_are_skipped_with_the_reason(loaded):
    generator = Generator(loaded)
    long = "The nurse said that " * 40
    found = written(generator, [long, "The nurse"], GREEDY)
    assert isinstance(found[0], Skipped)
    assert found[0].reason.endswith("12 to write, the model takes 64")
    assert isinstance(found[1], Completions)


def test_nothing_to_continue_is_skipped():
    generator = Generator(load_model(build_model("gpt2-no-bos"), device="cpu"))
    assert written(generator, [""], GREEDY) == [Skipped("no token to continue")]


def test_not_a_number_is_an_error():
    model, tokenizer = build_model("gpt2")
    loaded = load_model((model, tokenizer), device="cpu")
    with torch.no_grad():
        model.transformer.ln_f.bias[0] = math.nan
    with pytest.raises(NonFiniteError):
        written(Generator(loaded), PROMPTS, GREEDY)


def test_out_of_memory_splits_the_batch(loaded, monkeypatch):
    expected = written(Generator(loaded), PROMPTS, SAMPLED)
    monkeypatch.setattr(generate_loop, "find_batching", lambda *_: "padded")
    start = generate_loop.Writer._start

    def scarce(self, prompts):
        if len(prompts) > 2:
            raise torch.OutOfMemoryError
        return start(self, prompts)

    monkeypatch.setattr(generate_loop.Writer, "_start", scarce)
    assert written(Generator(loaded), PROMPTS, SAMPLED) == expected
    monkeypatch.setattr(
        generate_loop.Writer, "_start", lambda *_: (_ for _ in ()).throw(torch.OutOfMemoryError)
    )
    with pytest.raises(ModelError, match="out of memory on 3 completions of one prompt"):
        written(Generator(loaded), PROMPTS, SAMPLED)


def test_batches_hold_the_budget_and_sort_by_length():
    decoding = Decoding(n=2, max_new_tokens=10)
    prompts = [Prompt(tuple(range(length)), decoding) for length in (5, 9, 2, 7, 40)]
    batches = plan_prompts([*prompts, prompts[0]], 80)
    lengths = [[len(prompt.ids) for prompt in batch.prompts] for batch in batches]
    assert lengths == [[40], [9, 7], [5, 2]]
    assert batches == plan_prompts(prompts[::-1], 80)
    assert [batch.n_tokens for batch in batches] == [40 + 20, 18 + 40, 10 + 40]
    assert len({batch.key for batch in batches}) == 3


def test_stored_completions_run_no_model(checkpoint, tmp_path, monkeypatch):
    loaded = load_model(checkpoint("gpt2"), device="cpu")
    first = Generator(loaded, 64, tmp_path)
    requests = [Generation(prompt, SAMPLED) for prompt in PROMPTS]
    plan = first.plan(requests)
    expected = first.run(plan)
    again = Generator(loaded, 64, tmp_path)
    assert again.missing(plan) == ()
    assert again.estimate_seconds(plan) == 0
    monkeypatch.setattr(generate_loop.Writer, "_write", lambda *_: pytest.fail("a model ran"))
    assert again.run(plan) == expected


def test_a_torn_record_is_written_again(checkpoint, tmp_path):
    loaded = load_model(checkpoint("gpt2"), device="cpu")
    generator = Generator(loaded, 64, tmp_path)
    plan = generator.plan(Generation(prompt, SAMPLED) for prompt in PROMPTS)
    assert len(plan.batches) > 1
    expected = generator.run(plan)
    (segment,) = tmp_path.rglob("*.texts")
    whole = segment.read_bytes()
    segment.write_bytes(whole[:-3])
    resumed = Generator(loaded, 64, tmp_path)
    assert len(resumed.missing(plan)) == 1
    assert resumed.run(plan) == expected
    segment.write_bytes(whole[:60] + bytes([whole[60] ^ 1]) + whole[61:])
    damaged = Generator(loaded, 64, tmp_path)
    assert damaged.run(plan) == expected


def test_a_model_in_memory_is_never_stored(tmp_path):
    loaded = load_model(build_model("gpt2"), device="cpu")
    written(Generator(loaded, None, tmp_path), PROMPTS, SAMPLED)
    assert not list(tmp_path.iterdir())


def test_a_store_that_cannot_be_written_is_no_error(checkpoint, tmp_path):
    loaded = load_model(checkpoint("gpt2"), device="cpu")
    (tmp_path / "file").write_text("")
    found = written(Generator(loaded, None, tmp_path / "file"), PROMPTS, SAMPLED)
    assert all(isinstance(one, Completions) for one in found)


def test_the_store_keeps_ids_and_ends_apart(tmp_path):
    batch = PromptBatch((Prompt((1, 2), Decoding(n=2)), Prompt((3,), Decoding(n=2))))
    one = generate_loop.Written
    found = [[one((7, 8), True), one((), True)], [one((), False), one((2**31 - 1,), False)]]
    TextStore(tmp_path, {}).put(batch, found)
    assert TextStore(tmp_path, {}).get(batch) == found
    assert TextStore(tmp_path, {"other": 1}).get(batch) is None
    assert TextStore(tmp_path, {}).get(PromptBatch(batch.prompts[:1])) is None


TEMPLATE = (
    "{% for turn in messages %}{{ turn.role }}: {{ turn.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def test_a_chat_template_stands_around_the_prompt(loaded):
    loaded.tokenizer.chat_template = TEMPLATE
    plain = written(Generator(loaded), PROMPTS[:1], GREEDY)
    generator = Generator(loaded, chat=Chat("Be kind."))
    (prompt,) = generator.plan([Generation(PROMPTS[0], GREEDY)]).prompts.values()
    asked = "system: Be kind.\nuser: The nurse\nassistant: "
    assert loaded.tokenizer.decode(list(prompt.ids)) == asked
    assert written(generator, PROMPTS[:1], GREEDY) != plain
    assert written(Generator(loaded, chat=Chat()), PROMPTS[:1], GREEDY) != plain


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (None, "no chat template"),
        ("{{ raise_exception('no system turn, please') }}", "refuses.*no system turn, please"),
    ],
)
def test_a_chat_that_cannot_be_held_is_an_error(template, message):
    loaded = load_model(build_model("gpt2"), device="cpu")
    loaded.tokenizer.chat_template = template
    with pytest.raises(UsageError, match=message):
        Generator(loaded, chat=Chat("Be kind.")).plan([Generation("The nurse", GREEDY)])


def test_a_leading_space_survives_a_tokenizer_that_drops_it():
    """As with Llama: words begin with a marker, which decoding strips at the start."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["<s>", "</s>", "▁The", "▁nurse", "▁slept", "s"]
    vocabulary = {word: index for index, word in enumerate(words)}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="<s>"))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.decoder = decoders.Metaspace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>")
    model, _ = build_model("llama")
    model.resize_token_embeddings(len(words))
    generator = Generator(load_model((model, tokenizer), device="cpu"))
    assert tokenizer.decode([4]) == "slept"
    assert generator._text((0, 2, 3), (4,)) == " slept"
    assert generator._text((0, 2, 3), ()) == ""
