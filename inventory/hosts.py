"""pyinfra's inventory: every node of the fleet, from its spec. Nothing is written here by hand.

pyinfra makes a host group of each list in this module whose name has no underscore in front: `nodes`, `vaults`.
"""

import os as _os
from pathlib import Path as _Path

import click as _click
from pyinfra.api.exceptions import PyinfraError as _PyinfraError

from blackstart.data_words import mistakes as _mistakes
from blackstart.hosts import NoHosts as _NoHosts
from blackstart.hosts import groups as _groups
from blackstart.hosts import require_hosts as _require_hosts
from blackstart.hosts import unusable as _unusable
from blackstart.spec.load import fleet_path as _fleet_path
from blackstart.spec.load import load_fleet as _load_fleet
from blackstart.spec.problem import SpecError as _SpecError
from blackstart.ssh import KnownHostsError as _KnownHostsError


def _load():
    # The command line being served; none where this file is loaded by something else than pyinfra's own.
    context = _click.get_current_context(silent=True)
    said = context.params if context else {}
    given = said.get("data") or ()
    deploy = _Path(next(iter(said.get("operations") or ()), "")).stem
    wrong = _mistakes(given, deploy)
    if wrong:
        raise _PyinfraError("\n".join(wrong))
    data = dict(word.split("=", 1) for word in given if "=" in word)
    config = data.get("ssh_config_file") or _os.environ.get("BLACKSTART_SSH_CONFIG")
    path = _Path(config) if config else None
    folder = _fleet_path()
    try:
        by_group = _groups(_load_fleet(folder), folder, path)
        _require_hosts(by_group, said.get("limit") or (), said.get("exclude") or ())
    except _SpecError as error:
        raise _PyinfraError(f"the fleet in {folder} has mistakes:\n{error}") from None
    except (_NoHosts, _KnownHostsError) as error:
        raise _PyinfraError(str(error)) from None
    except OSError as error:
        raise _PyinfraError(_unusable(error, path)) from None
    return by_group["nodes"], by_group["vaults"]


nodes, vaults = _load()
