# What the scripts of a round may use. Here things are destroyed and forced: it is all the rig's own.
export LC_ALL=C
K=/sys/kernel/config/nvmet/subsystems/rig/namespaces
U=/run/udev/rules.d/99-rig.rules

fail() { echo "rig: $*" >&2; exit 9; }
now() { date -s "@$1" >/dev/null; }

# named NUMBER ID: what udev calls the disk in slot NUMBER, and its partitions
named() {
  printf 'SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ATTR{nsid}=="%s", SYMLINK+="disk/by-id/%s"\n' "$1" "$2" >>$U
  printf 'SUBSYSTEM=="block", ENV{DEVTYPE}=="partition", ATTRS{nsid}=="%s", SYMLINK+="disk/by-id/%s-part%%n"\n' \
    "$1" "$2" >>$U
}

# plug NUMBER ID BYTES [PART BYTES]: the disk of that slot is in the machine. When it was never there it is empty, or has
# a partition of that number and size, 0 for all of it: before it is seen, so that udev looks but once.
plug() {
  [ -e "/rig/$1" ] || {
    truncate -s "$3" "/rig/$1"
    [ $# -lt 4 ] || printf 'label: gpt\n/rig/x%s : start=256, size=%s\n' "$4" "$((${5:-0} ? ${5:-0} / 4096 : $3 / 4096 - 512))" |
      sfdisk -q --no-reread --sector-size 4096 "/rig/$1" >/dev/null
  }
  [ -d "$K/$1" ] || { mkdir "$K/$1" && printf %s "/rig/$1" >"$K/$1/device_path" && echo 1 >"$K/$1/buffered_io"; }
  echo 1 >"$K/$1/enable"
}
unplug() { for k do echo 0 >"$K/$k/enable"; done; }

# until udev has named them all
there() {
  for k do
    n=0
    until [ -b "/dev/disk/by-id/$k" ]; do
      n=$((n + 1)); [ $n -lt 1200 ] || fail "$k does not appear"
      sleep 0.1
    done
  done
}
gone() { udevadm settle --timeout=30 || :; }

# values PROPERTIES NAME...: in this order, which is not that of one `zfs get` of them all
values() { k=$1; shift; for n do zfs get -Hp -o value "$k" "$n" || fail "$k of $n"; done; }

# branch SNAPSHOT DATASET: a copy, in which the same snapshot is, to be written to
branch() {
  zfs send -w "$1" | zfs receive -u "$2" || fail "send $1 to $2"
  if [ "$(zfs get -H -o value encryption "$2")" != off ]; then
    zfs set keylocation=file:///rig/key "$2" && zfs load-key "$2" || fail "the key of $2"
  fi
  zfs mount "$2" || fail "mount $2"
}

# chain TARGET FIRST [FROM LAST]...: a full stream, then what follows, out of the mint
chain() {
  t=$1; zfs send -w "$2" | zfs receive -u "$t" || fail "send $2 to $t"
  shift 2
  while [ $# -gt 1 ]; do
    zfs send -w -I "$1" "$2" | zfs receive -u "$t" || fail "send $1 to $2 into $t"
    shift 2
  done
}

# turn VAULT-POOL CLOCK: this machine is that vault now
turn() {
  at=$(findmnt -n -o SOURCE --mountpoint /srv/blackstart/live) || :
  if [ "$at" != "$1/vault/live" ]; then
    [ -z "$at" ] || umount /srv/blackstart/live
    zfs mount "$1/vault/live"
  fi
  now "$2"
}
