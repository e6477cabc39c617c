"""The command line before hosts that are not there."""

from __future__ import annotations

import subprocess

from blackstart.cli.replicate import ssh


def test_a_silent_host_is_given_up() -> None:
    """OpenSSH's own reading of the options: by itself it waits for a silent host for ever."""
    command = ssh({"ssh_hostname": "192.0.2.1", "ssh_known_hosts_file": "/dev/null"}, "true")
    read = subprocess.run(["ssh", "-G", *command[1:]], capture_output=True, text=True, check=True).stdout
    said = dict(line.partition(" ")[::2] for line in read.splitlines())
    assert said["connecttimeout"] == "30"
    assert int(said["serveraliveinterval"]) * int(said["serveralivecountmax"]) == 60
