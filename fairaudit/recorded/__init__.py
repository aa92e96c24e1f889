"""Auditing answers that another program recorded: read strictly, joined by their text."""
