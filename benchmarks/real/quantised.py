"""Quantised forms of the real chat model, as people publish them: bitsandbytes, 8 and 4 bits.

``python benchmarks/real/quantised.py`` takes the bfloat16 model that ``fetch.py`` makes and leaves
beside it

- ``smollm2-135m-instruct-int8``: LLM.int8() (Dettmers et al. 2022),
- ``smollm2-135m-instruct-int4``: NF4 blocks (Dettmers et al. 2023), computed in fp32.

What is not quantised (embeddings, norms) is stored in fp32, so that nothing but the blocks differs.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

import torch
import transformers
from fetch import SMOLLM2, FetchError, fetch, models_folder, staged

FORMS: Final[dict[str, dict[str, Any]]] = {
    "int8": {"load_in_8bit": True},
    "int4": {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_compute_dtype": torch.float32,
    },
}


def quantised(form: str, models: Path) -> Path:
    """Return the folder of a quantised form, making it first if it is not there."""
    folder = models / f"{SMOLLM2}-{form}"
    if not folder.is_dir():
        source = fetch(SMOLLM2, models)
        model = transformers.AutoModelForCausalLM.from_pretrained(
            source,
            quantization_config=transformers.BitsAndBytesConfig(**FORMS[form]),
            device_map={"": "cpu"},
            dtype=torch.float32,
        )
        with staged(folder) as stage:
            model.save_pretrained(stage)
            transformers.AutoTokenizer.from_pretrained(source).save_pretrained(stage)
    return folder


def main() -> int:
    """Make both forms and print their folders."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--models", type=Path, help="default: models/ in fairaudit's cache folder")
    models = parser.parse_args().models or models_folder()
    try:
        folders = {form: str(quantised(form, models)) for form in FORMS}
    except (FetchError, ImportError) as error:
        print(f"quantised: {error}", file=sys.stderr)
        return 2
    print(json.dumps(folders, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
