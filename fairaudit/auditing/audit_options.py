"""`AuditOptions`: what an audit can be asked for, each option once."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any

from fairaudit.options import (
    END,
    Device,
    Dtype,
    Option,
    Options,
    Overwrite,
    Place,
    ProgressOf,
    TrustRemoteCode,
)

if TYPE_CHECKING:
    from fairaudit.items import Decoding

Source = str | os.PathLike[str] | tuple[Any, Any]
BenchmarkData = Annotated[
    Place | None,
    Option(
        "Folder with benchmark files.",
        "Default: ``$FAIRAUDIT_DATA``, then the cache, then the network.",
        envvar="FAIRAUDIT_DATA",
    ),
]
Language = Annotated[
    str | None,
    Option(
        "What suite files of your own are written in: fr, pt-BR.",
        "Default: what they say themselves, or English.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class ScorerOptions(Options):
    """What scores texts."""

    toxicity_classifier: Annotated[
        Place | None,
        Option(
            "Scores texts: folder or Hub id (id@revision).",
            "It does so for toxicity. Without it lexicons score them, and the audit says what was "
            "left out.",
            cli=str,
        ),
    ] = None
    regard_classifier: Annotated[
        Place | None,
        Option(
            "Scores texts: folder or Hub id (id@revision).",
            "It does so for the regard of those whom they are about.",
            cli=str,
        ),
    ] = None
    word_vectors: Annotated[
        Place | None, Option("Word vectors as text, for gender polarity by projection (BOLD).")
    ] = None


@dataclass(frozen=True, kw_only=True)
class TextOptions(ScorerOptions):
    """What a user can set about suites of prompts."""

    apply_chat_template: Annotated[
        bool,
        Option(
            "Ask prompts as a user's turn of a chat.",
            "The tokenizer's chat template is put around each of them.",
        ),
    ] = False
    system_prompt: Annotated[str | None, Option("The system's turn of the chat.")] = None
    max_new_tokens: Annotated[
        int | None, Option("Longest completion in tokens; default the suite's own.", min=1)
    ] = None
    completions: Annotated[
        int | None, Option("Texts per prompt; default the suite's own.", min=1)
    ] = None

    def complaints(self) -> Iterator[str]:
        """Say that a system prompt has no chat to stand in."""
        if self.system_prompt is not None and not self.apply_chat_template:
            yield "a system prompt needs the chat template: --apply-chat-template"

    def decoding(self, own: "Decoding", seed: int) -> "Decoding":
        """How a suite's prompts are continued."""
        return replace(
            own,
            n=self.completions or own.n,
            max_new_tokens=self.max_new_tokens or own.max_new_tokens,
            seed=seed,
        )


@dataclass(frozen=True)
class AuditOptions(TextOptions):
    """Model, items and options of an audit."""

    model: Annotated[
        Source,
        Option(
            doc="Hub id, checkpoint folder, GGUF file, PEFT adapter folder, or a model in memory.",
            kind="str, path or (model, tokenizer)",
            before="toxicity_classifier",
        ),
    ]
    _: KW_ONLY
    suites: Annotated[
        Sequence[str] | None, Option("Suites or suite files; default: all default suites.")
    ] = None
    axes: Annotated[Sequence[str] | None, Option("Axes to keep (gender, race, ...).")] = None
    data: BenchmarkData = None
    base: Annotated[
        Source | None,
        Option(
            "Base model it was fine-tuned from; adds the distance from it.",
            "The distance is the token KL on the probe text.",
            kind="str, path or (model, tokenizer)",
            cli=str,
        ),
    ] = None
    label: Annotated[
        str | None, Option("Name of the audit in reports; default: that of the model.")
    ] = None
    output: Annotated[
        Place | None,
        Option("Audit folder: result, items, report, figures.", flags=("--output", "-o")),
    ] = None
    overwrite: Overwrite = False
    device: Device = "auto"
    dtype: Dtype = "auto"
    device_map: Annotated[
        str | None,
        Option(
            "Spread a model that fits no single device: auto, balanced, sequential.",
            "Layers lie on several devices, and what fits on none is read from disk as it runs.",
        ),
    ] = None
    max_memory: Annotated[
        str | None,
        Option(
            "What each device may hold: 0=20GiB,cpu=64GiB.",
            "For ``device_map``; default: what is free.",
        ),
    ] = None
    tensor_parallel: Annotated[
        bool,
        Option(
            "Split each layer over the processes that torchrun started.",
            "All of them run every batch together; transformers needs a plan for the architecture.",
        ),
    ] = False
    seed: Annotated[
        int,
        Option(
            "Seed of the bootstrap.",
            "It is also that of what the model writes; which prompts it continues does not depend "
            "on it.",
            min=0,
        ),
    ] = 0
    revision: Annotated[str | None, Option("Branch, tag or commit on the Hub.")] = None
    trust_remote_code: TrustRemoteCode = False
    gguf_file: Annotated[
        str | None, Option("Which GGUF file of a folder or Hub model is meant.")
    ] = None
    token_budget: Annotated[
        int | None,
        Option(
            "Padded tokens per batch.",
            "It changes speed and memory, and in float32 no score of a token by more than 1e-4 "
            "nats.",
            min=1,
        ),
    ] = None
    quick: Annotated[bool, Option("At most 200 items per suite and axis; fewer prompts.")] = False
    full: Annotated[bool, Option("Also the suites that are off by default; all prompts.")] = False
    limit: Annotated[
        int | None,
        Option(
            "At most so many items per suite and axis; intervals widen accordingly.",
            min=1,
            before=END,
        ),
    ] = None
    language: Language = None
    endpoint: Annotated[
        str | None,
        Option(
            "Ask a server with OpenAI's interface: http://HOST:PORT/v1; key in FAIRAUDIT_API_KEY.",
            "The model is then named as its server does. Suites of prompts are asked, others are "
            "not run.",
        ),
    ] = None
    parallel: Annotated[
        int | None, Option("Requests under way at once, with an endpoint; default 4.", min=1)
    ] = None
    per_minute: Annotated[
        int | None, Option("Most requests in a minute, with an endpoint.", min=1)
    ] = None
    progress: ProgressOf = None

    def complaints(self) -> Iterator[str]:
        """Say what contradicts itself among sizes, suites and texts."""
        yield from super().complaints()
        if sum((self.quick, self.full, self.limit is not None)) > 1:
            yield "quick, full and limit exclude each other; give one"
        if self.max_memory is not None and self.device_map is None:
            yield "max_memory says how a device map spreads a model; give device_map too"
        if self.tensor_parallel and self.device_map is not None:
            yield "device_map spreads whole layers, tensor_parallel splits each of them; give one"
        if self.suites == ():
            yield "no suite is named"
        if self.endpoint is not None:
            if not isinstance(self.model, str):
                yield "with an endpoint, name the model as its server does"
            given = (self.base, self.gguf_file, self.revision)
            if self.trust_remote_code or any(one is not None for one in given):
                yield (
                    "an endpoint takes no base, GGUF file, revision or code: its weights are not "
                    "seen"
                )
