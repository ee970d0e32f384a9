"""What can be wrong: a `Problem` in somebody's files, an `EvidenceError` in what was asked, and every code with its remedy."""

from dataclasses import dataclass


class EvidenceError(Exception):
    """Raised when something is asked for that cannot be given; the message says what to ask instead."""
