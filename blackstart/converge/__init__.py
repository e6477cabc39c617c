"""Spec against live state, resource by resource: what is wanted, what differs, the commands that change it."""
