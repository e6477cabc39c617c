"""The black box: what was kept of what was, as one history and as the whole state of a moment.

But for `shown` it needs Python's standard library alone: a vault runs it without the tool's libraries.
"""
