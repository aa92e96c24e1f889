"""Renders chat templates in a process of its own, which may take only so much time and memory.

A chat template is a program that comes with a checkpoint. Its sandbox keeps it from files, but not
from running for ever or from filling the memory. Here the system ends it. So does it with a
tokenizer's class that renders conversations by code of its own.

``python -m fairaudit.scoring.chat_worker`` reads one JSON object a line and answers with one.
"""

from __future__ import annotations

import base64
import json
import os
import pickle
import sys
from typing import Any, Final, TextIO

#: Seconds of computing and bytes of memory for one conversation; templates take milliseconds.
SECONDS: Final = 10
MEMORY: Final = 1 << 30
#: Seconds after which a conversation is given up that is not even computed.
PATIENCE: Final = 60
#: Characters that a conversation may become.
LONGEST: Final = 1 << 20


def main() -> None:
    """Answer until the input ends."""
    answers = _own_stdout()
    from transformers.utils.chat_template_utils import render_jinja_template

    limit_memory()
    own: Any = None
    for line in sys.stdin:
        limit_time()
        try:
            asked = json.loads(line)
            if "own" in asked:
                own = own if asked["own"] is None else _unpacked(asked["own"])
                text = own.apply_chat_template(
                    asked["turns"], tokenize=False, add_generation_prompt=asked["ask"]
                )
            else:
                text = render_jinja_template(**asked)[0][0]
            answer = {"text": str(text)}
            if len(answer["text"]) > LONGEST:
                answer = {"error": f"it makes more than {LONGEST:,} characters of it"}
        except MemoryError:
            answer = {"error": "it takes too much memory"}
        # A template raises what it likes.
        except Exception as error:
            answer = {"error": str(error) or type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _own_stdout() -> TextIO:
    """Keep the way to the asking process for answers: code of a checkpoint may print."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return answers


def _unpacked(content: str) -> Any:
    """Return a tokenizer that the asking process packed."""
    from transformers.dynamic_module_utils import init_hf_modules

    # What its class imports is not the conversation's; the asking process has it loaded too.
    lift_memory()
    # Classes that came with a checkpoint are imported from there.
    init_hf_modules()
    tokenizer = pickle.loads(base64.b64decode(content))
    limit_memory()
    limit_time()
    return tokenizer


def limit_memory() -> None:
    """Allow so much beyond what is there; systems without such limits have none."""
    resource = _resource()
    if resource is not None:
        with open("/proc/self/statm", encoding="ascii") as stream:
            own = int(stream.read().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        most = own + MEMORY if hard == resource.RLIM_INFINITY else min(own + MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def lift_memory() -> None:
    """Allow what the process may have at all."""
    resource = _resource()
    if resource is not None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def limit_time() -> None:
    """Let the system end this process after so many more seconds of computing."""
    resource = _resource()
    if resource is not None:
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        end = int(used.ru_utime + used.ru_stime) + 1 + SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (end, hard))


def _resource() -> Any:
    if sys.platform != "linux":
        return None
    import resource

    return resource


if __name__ == "__main__":
    main()
