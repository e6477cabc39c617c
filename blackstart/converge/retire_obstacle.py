"""Why a dataset may not be put aside: somebody wants it, it is not ours, or it cannot be moved."""

from __future__ import annotations

from blackstart.converge.aside import tree
from blackstart.converge.retire_seen import Seen, prop, used

SUBTREES = ("lxc", "data", "images")  # our own parents on every pool


def obstacle(seen: Seen, dataset: str, container: str) -> tuple[str, tuple[str, ...]] | None:
    """Why a dataset may not be renamed, and what to type; None when it may. `container`: the one that goes with it."""
    there, node, wanted = seen.datasets, seen.node, seen.wanted
    whole = tree(there, dataset)
    look, apply = ("blackstart", "why", node), ("blackstart", "apply", node)
    parts = dataset.split("/")
    for each in [dataset, *whole]:
        # What is not there cannot be renamed: then only today's wish counts, or nobody could ever let go of it.
        if each in wanted and (whole or wanted[each] == "spec"):
            still = "the spec wants" if wanted[each] == "spec" else "the spec as last applied still wants"
            return f"{still} {each}: remove it there first", apply
    if len(parts) < 3 or parts[1] not in SUBTREES:
        return f"it does not lie below {', '.join(f'{parts[0]}/{each}' for each in SUBTREES)}: it is yours", look
    for other, text in sorted(seen.config_texts.items()):
        if other != container and (user := used(there, whole, text)):
            then = apply if other in seen.spec.containers else ("blackstart", "retire", f"{node}/{other}")
            return f"container {other} has {user} mounted", then
    clones = [clone for clone, item in sorted(there.items()) if prop(item, "origin").split("@")[0] in whole]
    if parts[1] == "images" and clones:
        return f"{clones[0]} is a clone of it", look
    for item in (there[one] for one in whole):
        root = prop(item, "encryptionroot")
        if root not in ("", "-", *whole):
            return f"{item.name} is encrypted with the key of {root}, and cannot leave it", look
        if item.type != "filesystem":
            return f"{item.name} is a {item.type}: rename it by hand", look
    return None
