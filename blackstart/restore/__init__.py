"""Bringing data back: the plan, the scripts that cut over on the node, what people are shown. Pure."""
