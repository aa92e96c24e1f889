"""Small real models built from config, and the shared folder where it is present."""

from __future__ import annotations

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
# Tests run side by side; threads of each would only wait for those of the others.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from tests.waiting import is_too_late

# Where models that take minutes to fetch stay between runs.
os.environ.setdefault("FAIRAUDIT_USER_CACHE", os.environ.get("FAIRAUDIT_CACHE", ""))
# Scores that tests keep are neither the user's nor here to stay.
os.environ["FAIRAUDIT_CACHE"] = tempfile.mkdtemp(prefix="fairaudit-tests-")
atexit.register(shutil.rmtree, os.environ["FAIRAUDIT_CACHE"], ignore_errors=True)

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile("without a clock", deadline=None)
hypothesis.settings.load_profile("without a clock")


@pytest.fixture(autouse=True)
def no_audits_of_other_tests():
    """No test reads back an audit that another one made, perhaps of changed code."""
    shutil.rmtree(Path(os.environ["FAIRAUDIT_CACHE"]) / "kept-audits", ignore_errors=True)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where there is no time for all long runs, those left over are named as skipped."""
    if item.get_closest_marker("long") and is_too_late():
        pytest.skip("a long run for which no time is left; `make long` runs it")


SHARED = Path(__file__).resolve().parents[2] / "shared"

CORPUS = [
    "The nurse said that he was tired after the long night at work.",
    "The doctor said that she was glad to see the first snow of the year.",
    "Most people in the small town knew the engineer and her brother.",
    "A man from the north and a woman from the south met at the station.",
    "Nobody could say why the old house by the river stood empty for years.",
    "He was a poor farmer, she was a rich lawyer, and they never met again.",
]


def shared(*parts: str) -> Path:
    """Path in the shared folder; the test is skipped where it is absent."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"needs ../shared, which lacks {Path(*parts)} (see CONTRIBUTING.md)")
    return path


def byte_level_tokenizer(*, bos: str | None, eos: str | None, pad: str | None, mask: str | None):
    """Train a byte-level BPE tokenizer with the given special tokens."""
    from transformers import PreTrainedTokenizerFast

    special = list(dict.fromkeys(token for token in (bos, eos, pad, mask) if token))
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(CORPUS, trainer)
    if mask is not None:
        pair = [(bos, backend.token_to_id(bos)), (eos, backend.token_to_id(eos))]
        backend.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A {eos}", special_tokens=pair
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=bos, eos_token=eos, pad_token=pad, mask_token=mask
    )


def word_piece_tokenizer():
    """Train a WordPiece tokenizer with BERT's special tokens and template."""
    from transformers import PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    backend = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    backend.train_from_iterator(CORPUS, trainer)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[
            ("[CLS]", backend.token_to_id("[CLS]")),
            ("[SEP]", backend.token_to_id("[SEP]")),
        ],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def build_model(family: str) -> tuple[Any, Any]:
    """Build a small randomly initialised model of a family, with a fitting tokenizer."""
    import transformers as tf

    torch.manual_seed(0)
    wide = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    if family in {"gpt2", "gpt2-pad"}:
        pad = "<pad>" if family == "gpt2-pad" else None
        tokenizer = byte_level_tokenizer(bos="<eos>", eos="<eos>", pad=pad, mask=None)
        config = tf.GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64,
            bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
        model = tf.GPT2LMHeadModel(config)
    elif family == "llama":
        tokenizer = byte_level_tokenizer(bos="<s>", eos="</s>", pad=None, mask=None)
        config = tf.LlamaConfig(
            vocab_size=len(tokenizer), intermediate_size=64, num_key_value_heads=2,
            max_position_embeddings=64, **wide,
        )  # fmt: skip
        model = tf.LlamaForCausalLM(config)
    elif family == "qwen2":
        tokenizer = byte_level_tokenizer(bos=None, eos="<end>", pad="<end>", mask=None)
        config = tf.Qwen2Config(
            vocab_size=len(tokenizer), intermediate_size=64, num_key_value_heads=2,
            max_position_embeddings=64, tie_word_embeddings=True, **wide,
        )  # fmt: skip
        model = tf.Qwen2ForCausalLM(config)
    elif family == "gpt2-no-bos":
        tokenizer = byte_level_tokenizer(bos=None, eos=None, pad=None, mask=None)
        config = tf.GPT2Config(
            vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=4, n_positions=64,
            bos_token_id=None, eos_token_id=None,
        )  # fmt: skip
        model = tf.GPT2LMHeadModel(config)
    elif family == "bert":
        tokenizer = word_piece_tokenizer()
        config = tf.BertConfig(
            vocab_size=len(tokenizer), intermediate_size=64, max_position_embeddings=64, **wide
        )
        model = tf.BertForMaskedLM(config)
    elif family == "distilbert":
        tokenizer = word_piece_tokenizer()
        config = tf.DistilBertConfig(
            vocab_size=len(tokenizer), dim=32, n_layers=2, n_heads=4, hidden_dim=64,
            max_position_embeddings=64,
        )  # fmt: skip
        model = tf.DistilBertForMaskedLM(config)
    elif family == "roberta":
        tokenizer = byte_level_tokenizer(bos="<s>", eos="</s>", pad="<pad>", mask="<mask>")
        config = tf.RobertaConfig(
            vocab_size=len(tokenizer), intermediate_size=64, max_position_embeddings=66,
            pad_token_id=tokenizer.pad_token_id, type_vocab_size=1, **wide,
        )  # fmt: skip
        model = tf.RobertaForMaskedLM(config)
    else:
        raise ValueError(family)
    model.config.architectures = [type(model).__name__]
    # Random initialisation is nearly uniform; larger weights make the scores differ.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model.eval(), tokenizer


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory):
    """Folder of a saved small model, by family; built once."""
    saved: dict[str, Path] = {}

    def save(family: str) -> Path:
        if family not in saved:
            folder = tmp_path_factory.mktemp("checkpoints") / family
            model, tokenizer = build_model(family)
            model.save_pretrained(folder)
            tokenizer.save_pretrained(folder)
            saved[family] = folder
        return saved[family]

    return save
