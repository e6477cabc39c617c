"""Names and paths that nodes, vaults and the controller agree on."""

from __future__ import annotations

import calendar
import hashlib
import time

# On every host
STATE = "/var/lib/blackstart"  # applied.json, heartbeat.json, containers/, mounts/, images/
LIBEXEC = "/usr/local/lib/blackstart"  # our scripts
APPLIED = f"{STATE}/applied.json"
CONFIRMED = f"{STATE}/confirmed"  # one file per vault: guids of this node's snapshots that it holds
HEARTBEAT = f"{STATE}/heartbeat.json"
WATCH = f"{STATE}/watch"  # of a host that watches over a vault's checks
STAMPS = f"{WATCH}/completed"  # one file per vault: its last completed check
MISSED = f"{STATE}/missed"  # how many heartbeats in a row no vault took
POSTED = f"{STATE}/posted"  # what each vault answered to the last one; .reading: to the last reading
REQUEST = f"{LIBEXEC}/read.request"  # what the node's own reading looks at
READING = "/run/blackstart/reading"  # while it is on its way

# On a vault
ROOT = "/srv/blackstart"
LIVE = f"{ROOT}/live"
IMAGES = f"{ROOT}/images"  # <sha256 hex>.tar.zst
PACKAGES = f"{IMAGES}/packages"  # <sha256 hex>.deb and the index Packages
PROJECTS = f"{ROOT}/projects"
SPECS = f"{ROOT}/specs"  # fleet.git
TOOL = "/opt/blackstart"  # <version>/ and the links `current`, `previous`
LIBRARIES = f"{TOOL}/libraries"  # <lock>-<python>-<machine>/, and a link by the lock alone
FLEET = f"{STATE}/fleet"  # a vault's own checkout of the fleet, for whoever runs the tool there
CONFIG = "/etc/blackstart"
KEYS = f"{CONFIG}/keys"  # read, replicate, restore (+ .pub): SSH keys by purpose
KNOWN_HOSTS = f"{CONFIG}/known_hosts"  # one line per node, by its name (HostKeyAlias)
REPLICATION = f"{CONFIG}/replication"  # <node>.json: what to pull from it, how long to keep it
DRILLED = f"{CONFIG}/drills"  # <node>.json: what to play in a drill of it

CHECK = f"{CONFIG}/drift.json"  # what to check, and how often
READ_SSH = f"{CONFIG}/read_ssh_config"
ANNOUNCE = f"{CONFIG}/announce"  # Apprise's URLs, one a line; not for everybody's eyes

# The service on a vault (blackstart serve), and what a node needs to talk to it
NOW = f"{LIVE}/now"  # index.json, events.jsonl, the log of heartbeats, signals/, lock: the service's own
SIGNALS = f"{NOW}/signals"  # <id>.json
PAGES = ("heartbeat.json", "state.json", "containers", "services")  # links in live/<node>, to now/<the same>
FLEET_PAGES = ("events.jsonl", "index.json")  # links in live, to now/<the same>
TOKENS = f"{CONFIG}/tokens.json"  # whose token may do what; digests alone
SERVE_CONFIG = f"{CONFIG}/serve.json"
CERTIFICATE = f"{CONFIG}/serve.pem"  # made on the vault, pinned on the nodes
CERTIFICATE_KEY = f"{CONFIG}/serve.key"
PORT = 8440
SERVING = "/run/blackstart-serve/started"  # what the service was started with; gone when it stops
TOKEN = f"{CONFIG}/token"  # a node's own, as curl's header; made there, and only its digest leaves
TOKEN_DIGEST = f"{CONFIG}/token.sha256"
VAULTS = f"{CONFIG}/vaults"  # <vault>.pem, on a node: their certificates
POST = f"{CONFIG}/post"  # heartbeat.curl, reading.curl, on a node: what curl is told

# Users by purpose; the same name on node and vault
READ = "bs-read"
REPLICATE = "bs-replicate"
RESTORE = "bs-restore"
PRUNE = "bs-prune"
DRILL = "bs-drill"  # no key, no network, not in GROUP: it clones replicas, and destroys those clones
SERVE = "bs-serve"  # the network reaches it: not in GROUP, it writes its own folders and nothing else
SIGNAL = "bs-signal"  # on a node: snapshots and holds, by the word of a vault's service
GROUP = "blackstart"  # replicate, restore and prune, on a vault: they share a node's folder

SNAPSHOT_PREFIX = "blackstart_"  # blackstart_2026-11-22T01:43:00Z
MOMENT_PREFIX = "blackbox_"  # the same, of a vault's live state: they stay where they are, replication has its own
HOLD = "blackstart"  # the vault's hold on what it must not lose
RESTORE_HOLD = "blackstart-restore"


def mount_of(path: str) -> str:
    """Where the vault's own dataset that `path` lies on is to be mounted: the first folder below ROOT."""
    return f"{ROOT}/{path.removeprefix(ROOT + '/').partition('/')[0]}"


def replica(vault_pool: str, node: str, dataset: str) -> str:
    """The replica of `node`'s `dataset` on a vault: `<pool>/vault/replicas/<node>/<dataset>`."""
    return f"{vault_pool}/vault/replicas/{node}/{dataset}"


def drills(vault_pool: str, node: str) -> str:
    """What a drill of `node` makes on a vault lies below this dataset."""
    return f"{vault_pool}/vault/drills/{node}"


def drill_folder(node: str) -> str:
    """What drills of `node` came to: last.json, events.jsonl, files.json, reports/, lock. They are bs-drill's own."""
    return f"{node_folder(node)}/drill"


def home(user: str) -> str:
    """Home of a user by purpose. Short on purpose: bzfs and ssh put 86 bytes behind it for a socket, and 107 fit."""
    return f"/var/lib/{user}"


def node_folder(node: str) -> str:
    """record.json, journal.jsonl, applied.json, lock of one node, on a vault."""
    return f"{LIVE}/{node}"


def now_folder(node: str) -> str:
    """What the service knows of one node: its last heartbeat and reading. Every file in it is replaced whole."""
    return f"{node_folder(node)}/now"


def pool_comment(epoch: int, node: str) -> str:
    """What a pool carries in its `comment` (32 characters at most), readable before an import.

    A name that does not fit ends in a digest of the whole: two nodes never carry the same.
    """
    words = f"blackstart e{epoch} "
    if len(words) + len(node) > 32:
        node = f"{node[: 32 - len(words) - 7]}~{hashlib.sha256(node.encode()).hexdigest()[:6]}"
    return words + node


def parse_comment(comment: str) -> tuple[int, str] | None:
    """(epoch, node) of a pool's comment, None when it is not ours. The node's name may be cut short."""
    words = comment.split(" ")
    if len(words) == 3 and words[0] == "blackstart" and words[1][:1] == "e" and words[1][1:].isdigit():
        return int(words[1][1:]), words[2]
    return None


def snapshot_name(now: int, prefix: str = SNAPSHOT_PREFIX) -> str:
    """Name (after the @) of a snapshot taken at `now`: seconds since 1970, by the clock of the vault that asks."""
    return prefix + time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def snapshot_time(name: str, prefix: str = SNAPSHOT_PREFIX) -> int | None:
    """When a snapshot of ours was taken (seconds since 1970), None for anybody else's."""
    try:
        return calendar.timegm(time.strptime(name, prefix + "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        return None


def moment_of(name: str) -> int | None:
    """The same of a snapshot of live state, whether it was taken for the black box or for replication."""
    found = snapshot_time(name, MOMENT_PREFIX)
    return snapshot_time(name) if found is None else found
