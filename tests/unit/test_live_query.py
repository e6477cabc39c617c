"""What a reading asks, from what is wanted."""

from __future__ import annotations

from blackstart.converge.wanted import Wanted, WantedFile, WantedUnit, WantedUser
from blackstart.live.query import query_for
from blackstart.spec.resolve import WantedDataset
from blackstart.vault.layout import LIBEXEC


def test_everything_wanted_is_asked_for() -> None:
    wanted = Wanted(
        packages=("lxc",),
        sysctl={"net.ipv4.ip_forward": "1"},
        users={"bs-replicate": WantedUser("/var/empty")},
        files={"/etc/one": WantedFile(b""), "/etc/cron.d/two": WantedFile(b""), f"{LIBEXEC}/three": WantedFile(b"")},
        units={"cron.service": WantedUnit()},
        datasets={"tank/a": WantedDataset(name="tank/a", kind="node", properties={"quota": "1"})},
        delegations={"tank/a": {"bs-replicate": ("send",)}},
    )
    query = query_for(wanted)
    assert (query.packages, query.sysctl, query.users) == (("lxc",), ("net.ipv4.ip_forward",), ("bs-replicate",))
    assert query.units == ("cron.service",)
    assert query.properties == ("quota",)
    assert query.delegations == ("tank/a",)
    assert "/etc/one" in query.files
    for path in wanted.watched():
        assert path in query.files or path.rsplit("/", 1)[0] in query.directories
    assert not {"/etc/cron.d/two", f"{LIBEXEC}/three"} & set(query.files)  # listed with their folders
