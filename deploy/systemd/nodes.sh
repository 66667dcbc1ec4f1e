#!/bin/sh
# Nodes on the hosts of a file, one a line, by ssh and the unit beside this script:
#
#   nodes.sh install HOSTS URL WORKERS   copy the unit and its settings, start a node on each host
#   nodes.sh start|stop|status HOSTS     of all hosts
#
# Each host has /opt/vblkfuzz (see the unit) and lets this user run systemctl by sudo. A host that
# does not answer is named, and the others are done; the exit status is then 1.
set -eu

unit="$(dirname "$0")/vblkfuzz@.service"
service="vblkfuzz@0.service"

usage() {
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

on() {
	ssh -o BatchMode=yes -o ConnectTimeout=10 -- "$1" "$2"
}

install_on() {
	on "$1" "sudo tee /etc/systemd/system/vblkfuzz@.service >/dev/null" <"$unit" &&
		printf 'STORE="%s"\nWORKERS="%s"\n' "$url" "$workers" |
		on "$1" "sudo tee /etc/vblkfuzz.env >/dev/null" &&
		on "$1" "sudo systemctl daemon-reload && sudo systemctl enable --now $service" </dev/null
}

[ $# -ge 2 ] || usage
verb=$1 hosts=$2
[ -r "$hosts" ] || {
	echo "$hosts: cannot be read; expected a file with a host a line" >&2
	exit 2
}
case $verb in
install)
	[ $# -eq 4 ] || usage
	url=$3 workers=$4
	;;
start | stop | status) [ $# -eq 2 ] || usage ;;
*) usage ;;
esac

failed=0
while read -r host || [ -n "$host" ]; do # the last line may lack its end
	case $host in
	'' | '#'*) continue ;;
	esac
	echo "--- $host"
	if [ "$verb" = install ]; then
		install_on "$host"
	else
		on "$host" "sudo systemctl $verb $service" </dev/null
	fi || {
		echo "$host: failed" >&2
		failed=1
	}
done <"$hosts"
exit $failed
