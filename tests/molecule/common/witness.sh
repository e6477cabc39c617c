# Reads names of snapshots with their guids from what is put behind it. Prints each of them, then every file's
# checksum and every entry's type, mode and owner in it. Plain tools.
set -e
export LC_ALL=C
while read -r name guid; do
  [ "$(zfs get -H -o value guid "$name")" = "$guid" ]
  where=$(zfs get -H -o value mountpoint "${name%@*}")/.zfs/snapshot/${name#*@}
  echo "$name $guid"
  cd "$where"
  find . -xdev -type f -print0 | sort -z | xargs -0r sha256sum
  find . -xdev -printf '%y %m %U %G %p\n' | sort
  cd /
done <<'LIST'
