"""The shape of every JSON that another program may read: models for schemas, for docs/json.md and for tests.

What writes a document does not use its model (much of it runs on hosts that have Python's standard library alone);
tests hold real output against it, in both directions: nothing missing, nothing that is not described.
"""
