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


@dataclass(frozen=True, kw_only=True)
class ScorerOptions(Options):
    """What scores texts."""

    toxicity_classifier: Annotated[
        Place | None,
        Option(
            help="Scores texts: folder or Hub id (id@revision).",
            doc="Text classifier that scores texts: Hub id (``id@revision``) or "
            "folder. Without it texts are scored by lexicons, and the audit says what was left "
            "out.",
            kind="str or path",
            cli=str,
        ),
    ] = None
    regard_classifier: Annotated[
        Place | None,
        Option(
            help="Scores texts: folder or Hub id (id@revision).",
            doc="The same for the regard that texts show for whom they are about.",
            kind="str or path",
            cli=str,
        ),
    ] = None
    word_vectors: Annotated[
        Place | None,
        Option(
            help="Word vectors as text, for gender polarity by projection.",
            doc="File of word vectors as text, for BOLD's projections on the direction of gender.",
        ),
    ] = None


@dataclass(frozen=True, kw_only=True)
class TextOptions(ScorerOptions):
    """What a user can set about suites of prompts."""

    apply_chat_template: Annotated[
        bool,
        Option(
            help="Ask prompts as a user's turn of a chat.",
            doc="Put the tokenizer's chat template around each prompt.",
        ),
    ] = False
    system_prompt: Annotated[str | None, Option(help="The system's turn of the chat.")] = None
    max_new_tokens: Annotated[
        int | None,
        Option(
            help="Longest completion; default the suite's own.",
            doc="Longest completion in tokens; default the suite's own.",
            min=1,
        ),
    ] = None
    completions: Annotated[
        int | None,
        Option(
            help="Texts per prompt; default the suite's own.",
            doc="Completions per prompt; default the suite's own.",
            min=1,
        ),
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
        Sequence[str] | None,
        Option(
            help="Suites or suite files, comma-separated.",
            doc="Suite names or suite files; default all default suites.",
        ),
    ] = None
    axes: Annotated[
        Sequence[str] | None,
        Option(
            help="Axes to keep, comma-separated.",
            doc="Keep only items on these axes (``gender``, ``race``, ...).",
        ),
    ] = None
    data: Annotated[
        Place | None,
        Option(
            help="Folder with benchmark files.",
            doc="Folder with benchmark files; default ``$FAIRAUDIT_DATA``, then the cache, then "
            "the network.",
            envvar="FAIRAUDIT_DATA",
        ),
    ] = None
    base: Annotated[
        Source | None,
        Option(
            help="Model it was fine-tuned from: how far did it move?",
            doc="The model that it was fine-tuned from: the audit then also says how far "
            "predictions moved from it (token KL on the probe text).",
            kind="str, path or (model, tokenizer)",
            cli=str,
        ),
    ] = None
    label: Annotated[
        str | None,
        Option(
            help="Name of the audit in reports.",
            doc="Name of the audit in reports; default the model's name.",
        ),
    ] = None
    output: Annotated[
        Place | None,
        Option(
            help="Audit folder.",
            doc="Folder for the audit: result, items, report, figures.",
            flags=("--output", "-o"),
        ),
    ] = None
    overwrite: Overwrite = False
    device: Device = "auto"
    dtype: Dtype = "auto"
    seed: Annotated[
        int,
        Option(
            help="Seed of the bootstrap.",
            doc="Seed of the bootstrap, and of what the model writes; which prompts it continues "
            "does not depend on it.",
            min=0,
        ),
    ] = 0
    revision: Annotated[
        str | None,
        Option(help="Branch, tag or commit on the Hub."),
    ] = None
    trust_remote_code: TrustRemoteCode = False
    gguf_file: Annotated[
        str | None,
        Option(
            help="Which GGUF file of a folder or Hub model is meant.",
            doc="Which GGUF file of ``model`` is meant, where it holds several.",
        ),
    ] = None
    token_budget: Annotated[
        int | None,
        Option(
            help="Padded tokens per batch.",
            doc="Padded tokens per batch; changes speed and memory, and in float32 no score of a "
            "token by more than 1e-4 nats.",
            min=1,
        ),
    ] = None
    quick: Annotated[
        bool,
        Option(
            help="At most 200 items per suite and axis.",
            doc="At most 200 items per suite and axis, and fewer prompts to continue.",
        ),
    ] = False
    full: Annotated[
        bool,
        Option(
            help="Also the suites that are off by default; all prompts.",
            doc="Also run suites that are off by default, and continue all prompts of large "
            "suites.",
        ),
    ] = False
    limit: Annotated[
        int | None,
        Option(
            help="At most so many items per suite and axis.",
            doc="At most so many items per suite and axis; intervals widen accordingly.",
            min=1,
            before=END,
        ),
    ] = None
    language: Annotated[
        str | None,
        Option(
            help="What suite files of your own are written in: fr, pt-BR.",
            doc="What the suite files among ``suites`` are written in, such as ``fr``; default "
            "what they say themselves, or English.",
        ),
    ] = None
    progress: ProgressOf = None

    def complaints(self) -> Iterator[str]:
        """Say what contradicts itself among sizes, suites and texts."""
        yield from super().complaints()
        if sum((self.quick, self.full, self.limit is not None)) > 1:
            yield "quick, full and limit exclude each other; give one"
        if self.suites == ():
            yield "no suite is named"
