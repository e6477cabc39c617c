"""Names and paths that nodes, vaults and the controller agree on."""

from __future__ import annotations

# On every host
STATE = "/var/lib/blackstart"  # applied.json, heartbeat.json, containers/, mounts/, images/
LIBEXEC = "/usr/local/lib/blackstart"  # our scripts
APPLIED = f"{STATE}/applied.json"
HEARTBEAT = f"{STATE}/heartbeat.json"

# On a vault
ROOT = "/srv/blackstart"
LIVE = f"{ROOT}/live"
IMAGES = f"{ROOT}/images"  # <sha256 hex>.tar.zst
PROJECTS = f"{ROOT}/projects"
SPECS = f"{ROOT}/specs"  # fleet.git
TOOL = "/opt/blackstart"  # <version>/ and the link `current`
KEYS = "/etc/blackstart/keys"  # replicate, restore (+ .pub): SSH keys by purpose
KNOWN_HOSTS = "/etc/blackstart/known_hosts"

# Users by purpose; the same name on node and vault
REPLICATE = "bs-replicate"
RESTORE = "bs-restore"
PRUNE = "bs-prune"

SNAPSHOT_PREFIX = "blackstart_"  # blackstart_2026-11-22T01:43:00Z
HOLD = "blackstart"  # the vault's hold on what it must not lose
RESTORE_HOLD = "blackstart-restore"


def replica(vault_pool: str, node: str, dataset: str) -> str:
    """The replica of `node`'s `dataset` on a vault: `<pool>/vault/replicas/<node>/<dataset>`."""
    return f"{vault_pool}/vault/replicas/{node}/{dataset}"


def node_folder(node: str) -> str:
    """record.json, journal.jsonl, applied.json, lock of one node, on a vault."""
    return f"{LIVE}/{node}"


def pool_comment(epoch: int, node: str) -> str:
    """What a pool carries in its `comment` (32 characters at most), readable before an import."""
    return f"blackstart e{epoch} {node}"[:32]


def parse_comment(comment: str) -> tuple[int, str] | None:
    """(epoch, node) of a pool's comment, None when it is not ours. The node's name may be cut short."""
    words = comment.split(" ")
    if len(words) == 3 and words[0] == "blackstart" and words[1][:1] == "e" and words[1][1:].isdigit():
        return int(words[1][1:]), words[2]
    return None
