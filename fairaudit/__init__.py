"""fairaudit: did fine-tuning make a language model more biased, and how sure are we."""

from fairaudit._version import __version__

__all__ = ["__version__"]
