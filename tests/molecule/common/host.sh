set -eu
cd /
[ "$(lxc-ls -1 --running | sort | xargs)" = "files ledger notes" ]
for name in files ledger notes; do
  systemctl is-active --quiet "lxc@$name"
  [ "$(stat -c %u "/proc/$(lxc-info -n "$name" -pH)")" -ge 65536 ]
done
for name in ledger notes; do
  [ "$(zfs get -H -o value mounted "tank/data/$name")" = yes ]
done
[ "$(zpool list -H -o health tank)" = ONLINE ]
for unit in blackstart-nat.service blackstart-prune.timer cron.service; do systemctl is-active --quiet "$unit"; done
[ $(($(date +%s) - $(stat -c %Y /var/lib/blackstart/heartbeat.json))) -lt 90 ]
