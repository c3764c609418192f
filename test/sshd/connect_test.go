package sshd_test

import (
	"strings"
	"testing"
	"time"
)

// What EC2 Instance Connect's packages leave behind, on the distributions that
// they are for. The texts are those of the packages and of AWS's manual:
//
// https://github.com/aws/aws-ec2-instance-connect-config/tree/master/src
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-connect-set-up.html
const (
	vendor = "/usr/lib/systemd/system/"

	debianUnit = "[Service]\nEnvironmentFile=-/etc/default/ssh\nExecStartPre=/usr/sbin/sshd -t\nExecStart=/usr/sbin/sshd -D $SSHD_OPTS\n"
	rhelUnit   = "[Service]\nType=notify\nEnvironmentFile=-/etc/crypto-policies/back-ends/opensshserver.config\nEnvironmentFile=-/etc/sysconfig/sshd\n" +
		"ExecStart=/usr/sbin/sshd -D $OPTIONS $CRYPTO_POLICY\n"

	debianConnect = "[Service]\nExecStart=\n" +
		`ExecStart=/usr/sbin/sshd -D -o "AuthorizedKeysCommand /usr/share/ec2-instance-connect/eic_run_authorized_keys %%u %%f" -o "AuthorizedKeysCommandUser ec2-instance-connect" $SSHD_OPTS` + "\n"
	rhelConnect = "[Service]\nExecStart=\n" +
		`ExecStart=/usr/sbin/sshd -D -o "AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys %%u %%f" -o "AuthorizedKeysCommandUser ec2-instance-connect" $SSHD_OPTS` + "\n"
	connectLines = "AuthorizedKeysCommand /opt/aws/bin/eic_run_authorized_keys %u %f\nAuthorizedKeysCommandUser ec2-instance-connect\n"
)

// A package whose drop-in is on sshd's command line is found, and what install
// prints, typed as it is printed, makes way. Lines in files give way by
// themselves.
func TestInstanceConnect(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		args  []string // of install
		says  string   // it does; with &&, commands
	}{
		{
			name: "Ubuntu", files: map[string]string{vendor + "ssh.service": debianUnit, vendor + "ssh.service.d/ec2-instance-connect.conf": debianConnect},
			says: "mkdir -p /etc/systemd/system/ssh.service.d && ln -s /dev/null /etc/systemd/system/ssh.service.d/ec2-instance-connect.conf && systemctl daemon-reload && systemctl restart ssh.service",
		},
		{
			name: "RHEL 8", files: map[string]string{vendor + "sshd.service": rhelUnit, vendor + "sshd.service.d/ec2-instance-connect.conf": rhelConnect},
			says: "mkdir -p /etc/systemd/system/sshd.service.d && ln -s /dev/null /etc/systemd/system/sshd.service.d/ec2-instance-connect.conf && systemctl daemon-reload && systemctl restart sshd.service",
		},
		{
			name: "by hand", files: map[string]string{vendor + "ssh.service": debianUnit, "/etc/systemd/system/ssh.service.d/keys.conf": debianConnect},
			says: "mv /etc/systemd/system/ssh.service.d/keys.conf /etc/systemd/system/ssh.service.d/keys.conf.disabled && systemctl daemon-reload && systemctl restart ssh.service",
		},
		{
			name: "RHEL 9", files: map[string]string{vendor + "sshd.service": rhelUnit, "/etc/ssh/sshd_config.d/60-ec2-instance-connect.conf": connectLines},
			says: "sshd no longer asks EC2 Instance Connect (/opt/aws/bin/eic_run_authorized_keys %u %f) for keys",
		},
		{
			// https://github.com/amazonlinux/amazon-linux-2023/issues/1016
			name: "Amazon Linux 2023",
			files: map[string]string{
				vendor + "sshd.service": rhelUnit, "/etc/ssh/sshd_config": "ListenAddress 127.0.0.1\nUsePAM no\n" + connectLines,
				"/etc/ssh/sshd_config.d/50-redhat.conf": "DenyUsers *\n", // which sshd does not read
			},
			args: []string{"--add-include"},
			says: "sshd no longer asks EC2 Instance Connect (/opt/aws/bin/eic_run_authorized_keys %u %f) for keys",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := need(t)
			admin := h.admin()
			h.run("mount", "-t", "tmpfs", "none", vendor)
			h.Cleanup(func() { h.run("umount", vendor) })
			for path, text := range tt.files {
				h.write(path, text)
			}
			h.play("systemctl", "#!/bin/sh\nexit 0\n")
			if strings.Contains(tt.says, "&&") {
				h.refused(breakGlass, "EC2 Instance Connect gives sshd its own AuthorizedKeysCommand", tt.says)
				h.finds("command-line")
				h.run("sh", "-ec", tt.says)
			}
			h.server()
			install := append([]string{"install", "--group", "engineers", "--break-glass", "admin"}, tt.args...)
			out := strings.Join(strings.Fields(h.ok(install...)), " ")
			if !strings.Contains(tt.says, "&&") && !strings.Contains(out, tt.says) {
				t.Errorf("install says:\n%s", out)
			}
			key := h.key("ed25519")
			h.snapshot(time.Now(), h.iam("alice", key))
			h.in("alice", key)
			h.in("admin", admin)
			if out, code := h.postern("doctor"); code != 0 {
				t.Errorf("doctor %d:\n%s", code, out)
			}
			if again := h.ok(install...); strings.Contains(again, "no longer asks") {
				t.Errorf("said again:\n%s", again)
			}
		})
	}
}
