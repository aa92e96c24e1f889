"""Renders chat templates in a process of its own, which may take only so much time and memory.

A chat template is a program that comes with a checkpoint. Its sandbox keeps it from files, but not
from running for ever or from filling the memory. Here the system ends it.

``python -m fairaudit.scoring.chat_worker`` reads one JSON object a line and answers with one.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

#: Seconds of computing and bytes of memory for one conversation; templates take milliseconds.
SECONDS: Final = 10
MEMORY: Final = 1 << 30
#: Characters that a conversation may become.
LONGEST: Final = 1 << 20


def main() -> None:
    """Answer until the input ends."""
    from transformers.utils.chat_template_utils import render_jinja_template

    limit_memory()
    for line in sys.stdin:
        limit_time()
        try:
            answer = {"text": render_jinja_template(**json.loads(line))[0][0]}
            if len(answer["text"]) > LONGEST:
                answer = {"error": f"it makes more than {LONGEST:,} characters of it"}
        except MemoryError:
            answer = {"error": "it takes too much memory"}
        # A template raises what it likes.
        except Exception as error:
            answer = {"error": str(error) or type(error).__name__}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def limit_memory() -> None:
    """Allow so much beyond what is there; systems without such limits have none."""
    resource = _resource()
    if resource is not None:
        with open("/proc/self/statm", encoding="ascii") as stream:
            own = int(stream.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (own + MEMORY, own + MEMORY))


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
