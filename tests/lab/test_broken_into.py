"""A node that is broken into: root there, with all that the vault lets it have. What the vault holds stays."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blackstart.drill import outside
from blackstart.drill.stage import Stage

pytestmark = pytest.mark.slow

GATE = "/usr/local/lib/blackstart/replicate-gate"
REPLICAS = "backup/vault/replicas"
MINE = f"{REPLICAS}/node1"
PRUNE = "/etc/systemd/system/blackstart-vault-prune.service"
UNIT = "blackstart-replicate@node1.service"
SENT = "tank/data/notes"
API = (
    "curl -q -sS -o /dev/null -w '%{http_code}' --cacert /etc/blackstart/vaults/vault1.pem"
    " --connect-to vault1:8440:203.0.113.21:8440 -H @/etc/blackstart/token https://vault1:8440/api"
)
# `$words` is what the vault asked; whatever the intruder leaves alone the real gate answers.
EVIL = """\
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
export PATH
words=$(printf '%s' "${SSH_ORIGINAL_COMMAND-}" | tr -d "'")
case $words in
ASKED) echo "$words" >>/var/tmp/attacked; ACT ;;
esac
exec GATE.was "$@"
"""


@pytest.fixture(scope="module")
def broken(stage: Stage) -> Stage:
    """An intruder is root on node1. `drill.before` and its witnesses are what the vault had until then."""
    stage.reset()
    stage.node(f"cp -p {GATE} {GATE}.was")
    # What is past its time goes, by the vault's own clock: not what is asked here.
    stage.vault(
        f"systemctl stop blackstart-vault-prune.timer; mkdir -p {PRUNE}.d;"
        f" printf '[Unit]\\nConditionPathExists=/not-now\\n' >{PRUNE}.d/no.conf; systemctl daemon-reload"
    )
    return stage


@pytest.fixture(autouse=True)
def nothing_is_lost(broken: Stage) -> Iterator[None]:
    """Whatever was tried: each snapshot that the vault had is there under its guid, nothing of them is mounted."""
    yield
    broken.node(f"cp -p {GATE}.was {GATE}.new && mv {GATE}.new {GATE}")
    now = outside.replicas(broken.drill.vault, MINE)
    for dataset, snapshots in broken.drill.before.items():
        assert set(snapshots) <= set(now.get(dataset, [])), dataset
    broken.vault("zfs mount -a")  # as a boot does
    assert broken.vault(f"grep -c {REPLICAS} /proc/mounts || :") == "0"
    assert set(broken.vault(f"zfs get -H -o value -r -t filesystem mountpoint {REPLICAS}").split()) == {"none"}


def answers(stage: Stage, asked: str, act: str) -> None:
    """The intruder's own gate: `act` where the vault asks for `asked` (a pattern of the shell)."""
    text = EVIL.replace("GATE", GATE).replace("ASKED", asked).replace("ACT", act)
    stage.drill.node.sudo(f"cat >{GATE}.new && chmod 755 {GATE}.new && mv {GATE}.new {GATE}", input=text)


def pulled(stage: Stage) -> str:
    """How a run of the vault's ends, in systemd's word: `success`, `exit-code`, `oom-kill` ... It met the intruder."""
    stage.node("rm -f /var/tmp/attacked")
    stage.vault(f"systemctl start {UNIT} || :")
    assert stage.node("cat /var/tmp/attacked 2>/dev/null || :"), "the vault never asked what the intruder answers"
    return stage.vault(f"systemctl show -P Result {UNIT}")


def goes_on(stage: Stage, node: str = "node2") -> None:
    """Another node's data arrives meanwhile, with the rights that all of them are received with."""
    stage.vault(
        f"zfs list backup/other >/dev/null 2>&1 || zfs create -o mountpoint=none backup/other;"
        f" n=$(date +%s%N); zfs snapshot backup/other@$n && zfs send -w backup/other@$n |"
        f" runuser -u bs-replicate -- zfs receive -s -u {REPLICAS}/other-{node}-$n"
    )


def test_what_lies_on_the_node_opens_nothing_on_the_vault(broken: Stage) -> None:
    keys = broken.node("find / -xdev \\( -name '*_key' -o -name 'id_*' \\) -path '*ssh*' ! -name '*.pub' -type f")
    assert "/etc/ssh/ssh_host_ed25519_key" in keys
    offered = " ".join(f"-i {key}" for key in keys.splitlines())
    for user in ("root", "bs-replicate", "bs-restore", "bs-serve", "bs-read"):
        said = broken.node(
            f"ssh -F none {offered} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null"
            f" -o ConnectTimeout=60 {user}@203.0.113.21 echo I am in 2>&1 || :"
        )
        assert "I am in" not in said
    logins = "journalctl -b -t sshd-session -t sshd -o cat | grep -c 'Accepted .* from 203.0.113.11 ' || :"
    assert broken.vault(logins) == "0"


def test_its_token_reports_for_it_and_does_nothing_else(broken: Stage) -> None:
    beat = "/var/lib/blackstart/heartbeat.json"
    broken.node(
        f'sed \'s/"node": *"node1"/"node": "vault1"/\' {beat} >/root/other.json; ! cmp -s {beat} /root/other.json'
    )
    sent = "-H 'Content-Type: application/json' --data-binary"
    assert broken.node(f"{API}/heartbeats {sent} @/root/other.json") == "403"
    signal = '{"scope": "fleet", "severity": "may-break", "reason": "x", "key": "k"}'
    assert broken.node(f"{API}/signals {sent} '{signal}'") == "403"
    for path in ("nodes", "signals", "timeline", "status"):
        assert broken.node(f"{API}/{path}") == "403", path


@pytest.mark.parametrize("word", ["-p", "-R"])
def test_properties_and_children_of_a_stream_change_nothing_on_the_vault(broken: Stage, word: str) -> None:
    broken.node(f"zfs create -p -u -o mountpoint=/usr {SENT}/sub")
    broken.node(f"zfs set -u mountpoint=/etc canmount=on readonly=off setuid=on exec=on devices=on {SENT}")
    answers(broken, f"'zfs send '*'{SENT}@'*", f'set -- $words; shift 2; exec zfs send {word} "$@"')
    pulled(broken)
    received = broken.vault(f"zfs get -H -s received -o name,property,value -r all {MINE} | grep -v used || :")
    assert received == ""
    assert set(broken.vault(f"zfs get -H -o value -r -t filesystem readonly {MINE}").split()) == {"on"}
    assert broken.vault("findmnt -n -o FSTYPE /etc /usr || :") == ""
    goes_on(broken)


def test_another_dataset_under_a_known_name_is_not_taken(broken: Stage) -> None:
    broken.node(
        "zfs create -u tank/other; zfs snapshot tank/other@blackstart_x; zfs allow bs-replicate send tank/other"
    )
    answers(broken, f"'zfs send '*'{SENT}@'*", "exec zfs send -w tank/other@blackstart_x")
    assert pulled(broken) == "exit-code"
    goes_on(broken)


def test_it_fills_its_own_share_and_the_others_go_on(broken: Stage) -> None:
    used = int(broken.vault(f"zfs get -Hp -o value used {MINE}"))
    broken.edit("fleet.toml", "[replication]\n", f'[replication]\nquota = "{(used >> 20) + 60}MiB"\n')
    with (broken.folder / "log").open("w") as log:
        broken.drill.operator.deploy("vault", log, "--limit", "vault1")
    where = broken.node("zfs get -H -o value mountpoint tank/lxc/files")
    broken.node(f"head -c 150M /dev/urandom >{where}/filler; sync")
    said = broken.blackstart("replicate", "node1", expect=1)
    assert "quota exceeded" in said, said
    assert int(broken.vault(f"zfs get -Hp -o value used {MINE}")) < used + (64 << 20)
    goes_on(broken)
    broken.until(
        lambda: broken.node("/usr/local/lib/blackstart/heartbeat; cat /var/lib/blackstart/posted") == "vault1 204", 120
    )


def test_an_answer_without_end_ends_its_own_run(broken: Stage) -> None:
    answers(broken, "'begin '*", "yes 'S tank/data/notes@blackstart_x\t1\t1' ; exit 0")
    assert pulled(broken) == "oom-kill"
    assert broken.vault("systemctl is-active blackstart-serve.service") == "active"
    goes_on(broken)


def test_what_it_destroys_at_home_stays_on_the_vault_and_mounts(broken: Stage) -> None:
    broken.node(
        "zfs list -H -o name -t snapshot -r tank/data tank/lxc | while read s; do zfs holds -H $s | cut -f2 |"
        " while read t; do zfs release $t $s; done; zfs destroy $s; done;"
        f" zfs rename -u {SENT} {SENT}-gone; zfs create -u {SENT};"
        f" zfs allow bs-replicate bookmark,hold,send,snapshot {SENT}"
    )
    said = broken.blackstart("replicate", "node1", expect=1)
    assert "stays as it is" in said
    for one in broken.drill.witnesses:
        if broken.vault(f"zfs get -H -o value encryption {MINE}/{one.dataset}") != "off":
            continue  # its key is not here, and never was
        broken.vault(
            f"zfs clone -o mountpoint=/mnt/proof -o canmount=on {MINE}/{one.dataset}@{one.snapshot} backup/proof"
        )
        sums = outside.checksums(broken.drill.vault, "/mnt/proof")
        broken.vault("zfs destroy backup/proof")
        assert sums == one.sums
