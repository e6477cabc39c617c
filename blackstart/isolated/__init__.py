"""A drill in isolation: what a vault holds of a node is brought to life on the vault, without a network, and judged.

It runs on the vault's bare Python. Nothing here knows an address, a key or a name of a living dataset: see
tests/unit/test_isolated_apart.py.
"""
