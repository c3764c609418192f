package systemd_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// tools are what booting a host takes.
var tools = []string{"systemd-nspawn", "systemctl", "dbus-daemon", "sshd", "ssh", "ssh-keygen", "nft", "ip", "curl", "sudo", "nsenter", "setpriv", "pgrep", "useradd"}

// files are of the Debian packages openssh-server, nftables, systemd and
// libpam-systemd.
var files = []string{"/usr/share/openssh/sshd_config", "/lib/systemd/system/nftables.service", "/lib/systemd/system/systemd-networkd.service", "/usr/share/pam-configs/systemd"}

// base is what the hosts have in common, over the files of this machine. It is
// in memory, as they are.
const base = "/mnt/base"

// adminKey opens the account admin of every host, as a cloud's key does.
const adminKey = "/mnt/admin"

// The bridge that the hosts are connected to, and who else is there.
const (
	bridge  = "vpc0"
	gateway = "10.0.0.1"
)

// hierarchies are the control groups that systemd puts its services into.
//
// https://systemd.io/CGROUP_DELEGATION/
var hierarchies = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"}

// makeWorld gives the namespaces folders, a network, a control group and the
// base of the hosts.
func makeWorld(group string) error {
	if err := enterGroups(group); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command("sh", "-ec", worldScript)
	cmd.Env = append(os.Environ(), "SELF="+self, "BASE="+base, "BRIDGE="+bridge, "GATEWAY="+gateway, "KEY="+adminKey)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// worldScript makes what the hosts have in common: a Debian as its packages
// leave it, on which sshd, nftables and the network are enabled and nothing
// else, an operator with sudo, and our program. From the first moment of a boot
// a stranger asks for credentials.
const worldScript = `
mount --make-rprivate /
mount -t proc proc /proc
mount -t tmpfs -o mode=755 tmpfs /run
ip link set lo up
# Of itself a bridge has the address of one of those who come and go.
ip link add $BRIDGE address 02:00:00:00:00:01 type bridge
ip addr add $GATEWAY/24 dev $BRIDGE
ip addr add 169.254.169.254/32 dev $BRIDGE
ip addr add fd00:1::1/64 dev $BRIDGE nodad
ip addr add fd00:ec2::254/128 dev $BRIDGE nodad
ip link set $BRIDGE up
mount -t tmpfs -o mode=755 tmpfs /mnt
mkdir $BASE $BASE.work /mnt/root
mount -t overlay -o lowerdir=/,upperdir=$BASE,workdir=$BASE.work overlay /mnt/root
cd /mnt/root
rm -rf etc/systemd/system/* etc/rc?.d/* etc/ssh/*_config.d/* etc/ssh/breakglass etc/postern etc/sudoers.d/* var/lib/postern var/log/journal root/.ssh root/.aws
cp usr/share/openssh/sshd_config etc/ssh/sshd_config
cp $SELF usr/local/bin/postern
ln usr/local/bin/postern usr/local/sbin/stranger
rm -f etc/nftables.conf
cat >etc/nftables.conf <<'END'
#!/usr/sbin/nft -f
flush ruleset
table inet filter {
	chain input {
		type filter hook input priority filter;
	}
}
END
cat >etc/systemd/journald.conf <<'END'
[Journal]
Storage=volatile
RateLimitBurst=0
END
echo GORACE=atexit_sleep_ms=0 >>etc/environment
echo DefaultEnvironment=GORACE=atexit_sleep_ms=0 >>etc/systemd/system.conf
cat >etc/sudoers.d/admin <<'END'
admin ALL=(ALL) NOPASSWD:ALL
END
cat >etc/systemd/system/stranger.service <<'END'
[Unit]
DefaultDependencies=no
[Service]
User=stranger
ExecStart=/usr/local/sbin/stranger
StandardOutput=append:/run/stranger
[Install]
WantedBy=sysinit.target
END
chmod 440 etc/sudoers.d/admin
mkdir -p etc/cloud
touch etc/cloud/cloud-init.disabled
echo 0123456789abcdef0123456789abcdef >etc/machine-id
ssh-keygen -q -t ed25519 -N '' -f $KEY
mount --bind /dev dev
chroot . sh -ec '
	ssh-keygen -q -A
	systemctl -q enable ssh.service nftables.service systemd-networkd.service stranger.service
	for user in admin app deploy guest stranger; do
		userdel -f $user 2>/dev/null || :
		useradd -m -p "*" -s /bin/sh $user
	done
	install -d -o admin -g admin -m 700 ~admin/.ssh
'
umount dev
cp $KEY.pub home/admin/.ssh/authorized_keys
cd /
umount /mnt/root
rmdir /mnt/root
`

// groupsOf are the folders of a control group below that of the tests.
func groupsOf(name string) []string {
	var out []string
	for _, dir := range hierarchies {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err == nil {
			out = append(out, filepath.Join(dir, os.Getenv(inside), name))
		}
	}
	return out
}

// enterGroups puts this process into a control group of its own, where hosts
// cannot meet those of another test.
func enterGroups(group string) error {
	entered := 0
	for _, dir := range hierarchies {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.procs")); err != nil {
			continue
		}
		if err := os.Mkdir(filepath.Join(dir, group), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, group, "cgroup.procs"), []byte("0"), 0o600); err != nil {
			return err
		}
		entered++
	}
	if entered == 0 {
		return errors.New("there are no control groups below /sys/fs/cgroup")
	}
	return nil
}

// groupPrefix is what the process that starts the tests has before its number
// in the name of their control group.
const groupPrefix = "postern-test-"

// removeStale removes control groups of tests that were killed themselves.
func removeStale() {
	for _, hierarchy := range hierarchies {
		list, _ := filepath.Glob(filepath.Join(hierarchy, groupPrefix+"*")) // the pattern is ours
		for _, dir := range list {
			if _, err := os.Stat("/proc/" + strings.TrimPrefix(filepath.Base(dir), groupPrefix)); err != nil {
				removeGroups(filepath.Base(dir))
			}
		}
	}
}

// removeGroups removes what is left of a control group. Processes that were
// killed may be in it for a moment more.
func removeGroups(group string) {
	for _, hierarchy := range hierarchies {
		var dirs []string
		_ = filepath.WalkDir(filepath.Join(hierarchy, group), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil
		})
		for _, dir := range slices.Backward(dirs) {
			for range 100 {
				if err := os.Remove(dir); err == nil || errors.Is(err, fs.ErrNotExist) {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
		}
	}
}
