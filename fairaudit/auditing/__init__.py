"""Auditing one model: what is asked, planned, run, tabulated, estimated and kept."""
