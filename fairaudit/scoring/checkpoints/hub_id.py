"""What a Hub id looks like; nothing heavy is needed to tell."""

from __future__ import annotations

import re
from typing import Final

HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
