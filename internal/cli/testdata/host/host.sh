# A host with a metadata service, in namespaces of its own: sourced by what
# stands before the script of a test. Nothing here outlives the shell.
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
unshare --net imds >/run/imds.log 2>&1 &
service=$!
trap 'kill $service $(watchers)' EXIT
inside() { nsenter --net=/proc/$service/ns/net "$@"; }
until [ "$(readlink /proc/$service/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
ip link set lo up
ip link add imds0 type veth peer name eth0 netns $service
ip addr add 10.0.0.1/24 dev imds0
ip addr add fd00:1::1/64 dev imds0 nodad
ip link set imds0 up
inside ip addr add 169.254.169.254/32 dev eth0
inside ip addr add fd00:ec2::254/128 dev eth0 nodad
inside ip link set eth0 up
inside ip route add 10.0.0.1 dev eth0
inside ip route add fd00:1::1 dev eth0
ip route add 169.254.0.0/16 dev imds0 src 10.0.0.1
ip route add fd00:ec2::/64 dev imds0 src fd00:1::1
for address in 169.254.169.254 '[fd00:ec2::254]'; do
	tries=0
	until curl -s -g -m 1 --noproxy '*' -o /dev/null "http://$address/"; do
		tries=$((tries + 1))
		[ $tries -lt 1000 ] || { echo "no metadata service at $address" >&2; exit 1; }
		sleep 0.01
	done
done
# token UID: whether a user gets a token
token() {
	setpriv --reuid "$1" --clear-groups curl -gsS --noproxy '*' -m 2 -o /dev/null -X PUT \
		-H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token 2>/dev/null &&
		echo "uid $1: token" || echo "uid $1: refused"
}
# code WANT COMMAND: runs a command that must end with an exit code
code() {
	want=$1
	shift
	got=0
	"$@" || got=$?
	[ $got = $want ] || { echo "exit code $got, want $want: $*" >&2; exit 1; }
}
# watchers: the processes of this host that wait to roll back
watchers() {
	for p in /proc/[0-9]*; do
		[ "$(readlink $p/ns/net)" = "$(readlink /proc/self/ns/net)" ] || continue
		if tr '\0' ' ' <$p/cmdline | grep -q ' lockdown await '; then echo ${p#/proc/}; fi
	done
}
