"""Runs in the guest: streams that were damaged on their way, into the receive that a restore uses. JSON on stdin.

{"seed", "count", "stream", "send", "receive", "guid", "sums"}: for each of `count` seeded offsets two bytes of the
stream are flipped, or it ends there; then whatever the receive left goes on from its token, or begins anew. Prints a
line per round that broke the promise, and at the end how many there were of what.
"""

import collections
import json
import pathlib
import random
import subprocess
import sys

AT = "tank/wire"


def zfs(*words, **more):
    return subprocess.run(("zfs", *words), capture_output=True, **more)


def value(name, dataset):
    return zfs("get", "-Hp", "-o", "value", name, dataset).stdout.decode().strip()


def damaged(stream, random_):
    """(what was done, the stream after it)"""
    at = random_.randrange(len(stream) - 1)
    if random_.random() < 0.5:
        return f"cut at {at}", stream[:at]
    other = random_.randrange(len(stream))
    broken = bytearray(stream)
    for place in {at, other}:
        broken[place] ^= random_.randrange(1, 256)
    return f"flipped {at} and {other}", bytes(broken)


def whole(target, asked):
    """The snapshot is there by its guid, and its files have their sums."""
    found = zfs("list", "-Hp", "-d1", "-t", "snapshot", "-o", "guid", target).stdout.decode().split()
    if found != [asked["guid"]]:
        return False
    if zfs("set", "mountpoint=/wire", target).returncode or zfs("mount", target).returncode not in (0, 1):
        return False
    done = subprocess.run(["sha256sum", "-c", "--quiet", asked["sums"]], cwd="/wire", capture_output=True)
    zfs("unmount", target)
    return done.returncode == 0


def play(target, stream, asked):
    """What the damaged stream came to, and whether all was well in the end."""
    receive = [*asked["receive"], target]
    done = subprocess.run(receive, input=stream, capture_output=True)
    if done.returncode == 0:
        return "taken", whole(target, asked)
    there = zfs("list", target).returncode == 0
    if there and zfs("list", "-H", "-d1", "-t", "snapshot", target).stdout:
        return "refused with a snapshot", False
    token = value("receive_resume_token", target) if there else "-"
    if there and token in ("", "-"):
        return "refused without a token", False
    send = ["zfs", "send", "-t", token] if there else asked["send"]
    with subprocess.Popen(send, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as sender:
        again = subprocess.run(receive, stdin=sender.stdout, capture_output=True)
    return ("resumed" if there else "sent anew"), again.returncode == 0 and whole(target, asked)


def main():
    asked = json.load(sys.stdin)
    stream = pathlib.Path(asked["stream"]).read_bytes()
    random_ = random.Random(asked["seed"])
    zfs("create", AT)
    came = collections.Counter()
    for number in range(asked["count"]):
        what, broken = damaged(stream, random_)
        target = f"{AT}/{number}"
        word, well = play(target, broken, asked)
        came[word] += 1
        if not well:
            came["WRONG"] += 1
            print(f"round {number}: {what}: {word}")
        zfs("destroy", "-r", target)
    print(json.dumps(came))


if __name__ == "__main__":
    main()
