"""The black box: what was kept of what was, as one history and as the whole state of a moment.

It needs Python's standard library alone: it runs where a vault's pool was imported on any machine.
"""
