"""Where a checkpoint lies, and which of its files may be read: safetensors and GGUF only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import transformers
from safetensors import safe_open
from transformers.utils.hub import cached_file

from fairaudit.errors import ModelError, ResultError
from fairaudit.lines import lines_of
from fairaudit.parsing import parse_json
from fairaudit.results.places import named
from fairaudit.scoring.checkpoints.hub_id import GGUF, HUB_ID, split_gguf
from fairaudit.scoring.checkpoints.local import ADAPTER_CONFIG, CONFIG, INDEX, WEIGHTS, gguf_of

ADAPTER_WEIGHTS: Final = "adapter_model.safetensors"
_PICKLES: Final = (".bin", ".pt", ".pth", ".ckpt")
_TOKENIZER_FILES: Final = (
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)


@dataclass(frozen=True, slots=True)
class Place:
    """A checkpoint as it was named.

    Parameters
    ----------
    name : str
        Folder or Hub id.
    folder : Path or None
        The local folder; None: the checkpoint lies on the Hub.
    revision : str or None
        Branch, tag or commit on the Hub.
    trust_remote_code : bool
        Whether code that comes with the checkpoint may run.
    gguf : str or None
        Name of the GGUF file that is the checkpoint; None: it is in Hugging Face form.
    """

    name: str
    folder: Path | None = None
    revision: str | None = None
    trust_remote_code: bool = False
    gguf: str | None = None

    @property
    def options(self) -> dict[str, Any]:
        """Arguments for every ``from_pretrained`` of this checkpoint."""
        if self.gguf is not None:
            return {"gguf_file": self.gguf}
        return {"revision": self.revision, "trust_remote_code": self.trust_remote_code}

    @property
    def source(self) -> str:
        """What ``from_pretrained`` is called with: Hub id or folder."""
        return self.name if self.gguf is None else str(self.gguf_path.parent)

    @property
    def gguf_path(self) -> Path:
        """Local path of its GGUF file, from the Hub if need be.

        Raises
        ------
        ModelError
            If there is no such file.
        """
        path = None if self.gguf is None else self.file(self.gguf)
        if path is None:
            raise ModelError(f"{self.name}: no file {self.gguf}")
        return path

    @property
    def id(self) -> str:
        """Name of the folder or GGUF file alone; on the Hub the id."""
        if self.folder is None:
            return self.name if self.gguf is None else f"{self.repository}/{self.gguf}"
        return self.gguf or self.folder.resolve().name

    @property
    def repository(self) -> str:
        """Hub id, without the name of a GGUF file."""
        return "/".join(self.name.split("/")[:2]) if self.gguf is not None else self.name

    @property
    def is_adapter(self) -> bool:
        """Whether it holds a PEFT adapter and not a whole model."""
        return self.gguf is None and self.file(ADAPTER_CONFIG) is not None

    @property
    def has_tokenizer(self) -> bool:
        """Whether a tokenizer lies beside the weights."""
        # A GGUF file holds its own.
        return self.gguf is not None or any(self.file(name) for name in _TOKENIZER_FILES)

    def file(self, name: str) -> Path | None:
        """Path of one of its files, from the Hub if need be; None if it has no such file.

        Raises
        ------
        ModelError
            If the Hub refuses: no such repository or revision, or a gated one.
        """
        if self.folder is not None:
            try:
                path = named(self.folder, name)
            except ResultError as error:
                raise ModelError(str(error)) from error
            return path if path.is_file() else None
        try:
            found = cached_file(
                self.repository,
                name,
                revision=self.revision,
                _raise_exceptions_for_missing_entries=False,
                _raise_exceptions_for_connection_errors=False,
            )
        except OSError as error:
            raise load_error(self.name, name, error) from error
        return None if found is None else Path(found)

    def read_json(self, name: str) -> Mapping[str, Any]:
        """Content of one of its JSON files.

        Raises
        ------
        ModelError
            If there is none, or it holds no JSON object.
        """
        path = self.file(name)
        if path is None:
            raise ModelError(f"{self.name}: no {name}")
        try:
            content = parse_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ModelError(f"{self.name}: {name} cannot be read ({error})") from error
        if not isinstance(content, dict):
            raise ModelError(f"{self.name}: {name} holds no JSON object")
        return content


def locate(
    name: str | os.PathLike[str],
    *,
    revision: str | None = None,
    trust_remote_code: bool = False,
    gguf_file: str | None = None,
) -> Place:
    """Find a checkpoint by the name of its folder or GGUF file, or by its Hub id.

    Parameters
    ----------
    name : str or path
        Folder, GGUF file, Hub id, or GGUF file on the Hub (``owner/name/file.gguf``).
    revision : str or None
        Branch, tag or commit on the Hub.
    trust_remote_code : bool
        Whether code that comes with the checkpoint may run.
    gguf_file : str or None
        Which GGUF file of the folder or Hub model is meant.

    Raises
    ------
    ModelError
        If it is neither, or the folder holds no checkpoint that may be read.
    """
    text = os.fspath(name)
    path = Path(text)
    if path.exists():
        if revision is not None:
            raise ModelError(f"{text}: a folder has no revision '{revision}'")
        return _local(path, text, trust_remote_code, gguf_file)
    hub_id, inner = split_gguf(text)
    if not HUB_ID.fullmatch(hub_id) or (hub_id.endswith(GGUF) and "/" not in hub_id):
        raise ModelError(f"{text}: no such {'file' if text.endswith(GGUF) else 'folder'}")
    place = Place(text, None, revision, trust_remote_code, gguf_file or inner)
    if os.environ.get("HF_HUB_OFFLINE", "").lower() in {"1", "true", "yes", "on"}:
        _check_cached(place)
    return place


def _local(path: Path, text: str, trust_remote_code: bool, gguf_file: str | None) -> Place:
    named = gguf_of(path, text, gguf_file)
    if named is None:
        return Place(text, path, None, trust_remote_code)
    if path.is_dir():
        return Place(str(path / named), path, gguf=named)
    return Place(text, path.parent, gguf=named)


def _check_cached(place: Place) -> None:
    """Offline, a Hub model can still lie in the Hub's cache."""
    wanted = (CONFIG, ADAPTER_CONFIG) if place.gguf is None else (place.gguf,)
    if all(place.file(name) is None for name in wanted):
        revision = "" if place.revision is None else f" at revision '{place.revision}'"
        raise ModelError(
            f"{place.name}{revision}: no such folder, and the Hub cannot be asked while offline"
        )


def weight_files(place: Place, config: Any = None) -> tuple[Path, ...]:
    """Files of a whole model's weights, all of them safetensors.

    Raises
    ------
    ModelError
        If there are none, or an index names files of another kind.
    """
    named = getattr(config, "transformers_weights", None) or WEIGHTS
    index = named if named.endswith(".json") else INDEX
    single = None if named.endswith(".json") else place.file(named)
    if single is not None:
        _refuse_pickles(place, [single.name])
        return (single,)
    if place.file(index) is None:
        raise _no_weights(place)
    return tuple(_shards(place, index))


def _shards(place: Place, index: str) -> Iterable[Path]:
    listed = place.read_json(index).get("weight_map")
    if not isinstance(listed, dict) or not listed:
        raise ModelError(f"{place.name}: {index} lists no weights")
    names = sorted({str(name) for name in listed.values()})
    _refuse_pickles(place, names)
    for name in names:
        path = place.file(name)
        if path is None:
            raise ModelError(f"{place.name}: {name} is missing, which {index} lists")
        yield path


def adapter_folder(place: Place) -> Path:
    """Local folder of an adapter's config and weights.

    Raises
    ------
    ModelError
        If its weights are no safetensors.
    """
    weights = place.file(ADAPTER_WEIGHTS)
    if weights is None:
        raise _no_weights(place)
    return weights.parent


def _refuse_pickles(place: Place, names: Iterable[str]) -> None:
    for name in names:
        if not name.endswith(".safetensors"):
            raise ModelError(
                f"{place.name}: {name} is not a safetensors file, and only safetensors are read; "
                "save the model with safe_serialization first"
            )


def _no_weights(place: Place) -> ModelError:
    if place.folder is not None:
        files = {path.name for path in place.folder.iterdir()}
        pickles = sorted(name for name in files if name.endswith(_PICKLES))
        if pickles:
            return ModelError(
                f"{place.name}: only pickle weights ({pickles[0]}), which can run code when "
                "loaded, and only safetensors are read; save the model with safe_serialization "
                "first"
            )
    return ModelError(f"{place.name}: no weights (*.safetensors)")


def stored_types(files: Iterable[Path]) -> set[str]:
    """Names of the number types in weight files, as safetensors writes them: F32, BF16, ..."""
    found = set()
    for path in files:
        with safe_open(path, framework="pt") as weights:
            found |= {weights.get_slice(key).get_dtype() for key in weights.keys()}  # noqa: SIM118
    return found


def load_tokenizer(place: Place) -> Any:
    """Load the tokenizer that lies beside a checkpoint.

    Raises
    ------
    ModelError
        If there is none, or it cannot be loaded.
    """
    if place.folder is not None and not place.has_tokenizer:
        raise ModelError(
            f"{place.name}: no tokenizer; save it there with tokenizer.save_pretrained"
        )
    try:
        return transformers.AutoTokenizer.from_pretrained(place.source, **place.options)
    except Exception as error:
        raise load_error(place.name, "tokenizer", error) from error


#: Attention that `transformers` brings along.
_ATTENTION: Final = frozenset(
    {"eager", "sdpa", "flash_attention_2", "flash_attention_3", "flex_attention"}
)


def load_config(place: Place) -> Any:
    """Load a model's config.

    Raises
    ------
    ModelError
        If it cannot be loaded, or asks for an attention that is no part of `transformers`: by such
        a name code from the Hub would be loaded.
    """
    try:
        config = transformers.AutoConfig.from_pretrained(place.source, **place.options)
    except Exception as error:
        raise load_error(place.name, "config", error) from error
    named = getattr(config, "architectures", None)
    if named is not None and not (
        isinstance(named, list) and all(isinstance(name, str) for name in named)
    ):
        raise ModelError(f"{place.name}: the config's architectures are no list of names")
    if place.gguf is not None:
        _name_class(config)
    asked = getattr(config, "_attn_implementation", None)
    for name in asked.values() if isinstance(asked, dict) else (asked,):
        if name is not None and name not in _ATTENTION:
            raise ModelError(
                f"{place.name}: the config asks for attention '{name}', which is code from "
                f"elsewhere; remove attn_implementation from it, or write one of "
                f"{', '.join(sorted(_ATTENTION))}"
            )
    return config


def _name_class(config: Any) -> None:
    """Name the class of a GGUF's config, which states the type of model alone."""
    if not config.architectures:
        from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

        named = MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.get(config.model_type)
        config.architectures = None if named is None else [str(named)]


def load_error(name: str, part: str, error: Exception) -> ModelError:
    """Say in one line what of a checkpoint cannot be loaded."""
    if "trust_remote_code" in str(error):
        return ModelError(
            f"{name}: the {part} needs code that comes with the checkpoint; read that code, then "
            "allow it with --trust-remote-code"
        )
    lines = [line.strip() for line in lines_of(str(error)) if line.strip()]
    # A heading says less than what stands below it.
    told = lines[1] if len(lines) > 1 and lines[0].endswith(":") else next(iter(lines), "")
    if isinstance(error, ModuleNotFoundError) and error.name and "pip install" not in told:
        told = f"{told}: pip install {error.name.partition('.')[0]}"
    return ModelError(f"{name}: the {part} cannot be loaded ({told[:300] or type(error).__name__})")
