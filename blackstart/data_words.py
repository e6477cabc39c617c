"""What may be said with pyinfra's --data: a word that is nearly one of ours is a mistake, and so is an odd value."""

from __future__ import annotations

from collections.abc import Iterable

from blackstart.spec.problem import nearest

# What a word takes; none: any text but an empty one.
_YES_NO = ("yes", "true", "1", "no", "false", "0")
WORDS: dict[str, tuple[str, ...]] = {
    "enroll": _YES_NO,
    "take_spec": _YES_NO,
    "abandon": ("yes",),
    "shown": ("yes",),
    "plan": (),
    "disks": (),
    "at": (),
    "vault": (),
    "without": (),
    "dataset": (),
    "what": (),
    "gone": (),
    "ssh_config_file": (),
}


def mistakes(given: Iterable[str], deploy: str = "") -> list[str]:
    """One sentence for each KEY=VALUE of `given` that would be passed over. Words that only an operator's own deploy
    knows are theirs. `deploy`: the deploy's name, where it is known.
    """
    return [said for word in given for said in [_mistake(word, deploy)] if said]


def _mistake(word: str, deploy: str) -> str:
    key, given, value = word.partition("=")
    if key not in WORDS:
        near = nearest(key, WORDS)
        return f"--data {key}: not known; did you mean {near!r}?" if near else ""
    takes = WORDS[key]
    if not given or not value:
        return f"--data {key}: it is empty; give it a value, or leave it out"
    if key == "plan" and deploy in ("bootstrap", "restore") and value != "only":
        return f"--data plan: found {value!r}, expected 'only', which shows the plan and does nothing"
    if takes and value.lower() not in takes:
        return f"--data {key}: found {value!r}, expected {' or '.join(repr(each) for each in takes)}"
    return ""
