"""Facts that many parts need, each in one place.

Only the standard library is imported here, and nothing of fairaudit.
"""
