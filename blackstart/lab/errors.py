"""What the lab says when it cannot do what it was asked."""

from __future__ import annotations


class LabError(Exception):
    """Carries a message for people: what failed, and what to look at or do next."""


class Panicked(LabError):
    """The kernel of a machine panicked."""
