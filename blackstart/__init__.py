"""blackstart rebuilds a lost bare-metal LXC host from its spec and its last snapshot."""

__version__ = "0.1.0"
