"""Signals: somebody is about to do what may break things, and gets a snapshot, a hold and a line in the log first."""
