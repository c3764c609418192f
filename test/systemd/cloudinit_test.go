package systemd_test

import (
	"os"
	"strings"
	"testing"

	"github.com/postern-dev/postern/test/witness"
)

// cloudConfig leaves of cloud-init what our user data asks for: the rest would
// make host keys, locales and users anew.
const cloudConfig = `datasource_list: [NoCloud]
network: {config: disabled}
cloud_init_modules: [write-files]
cloud_config_modules: [runcmd]
cloud_final_modules: [scripts-user]
`

// The user data that install prints makes cloud-init install the firewall on a
// new instance, where it stands after the next reboot too.
func TestCloudInit(t *testing.T) {
	t.Parallel()
	witness.Need(t, "cloud-init")
	h := boot(t, map[string]string{
		"/etc/cloud/cloud.cfg.d/90-test.cfg":      cloudConfig,
		"/var/lib/cloud/seed/nocloud/meta-data":   "instance-id: i-0123456789abcdef0\n",
		"/var/lib/cloud/seed/nocloud/vendor-data": "",
	})
	_, userData, ok := strings.Cut(h.ok("postern host install --print"), "# user data\n")
	if !ok {
		t.Fatal("no user data is printed")
	}
	h.write("/var/lib/cloud/seed/nocloud/user-data", userData)
	h.says(h.run("cloud-init", "schema", "--config-file", "/var/lib/cloud/seed/nocloud/user-data"), "Valid cloud-config")
	h.run("systemctl", "enable", "cloud-init-local.service", "cloud-init.service", "cloud-config.service", "cloud-final.service")
	if err := os.Remove(h.root("/etc/cloud/cloud-init.disabled")); err != nil {
		t.Fatal(err)
	}
	h.reboot()
	h.says(h.run("cloud-init", "status", "--wait"), "status: done")
	h.ok("sudo postern host lockdown status")
	h.gets("token", "root")
	h.gets("refused", "app", "stranger")
	h.reboot()
	if got := h.answers(); got != "away refused" {
		t.Errorf("since the boot the stranger was answered: %s", got)
	}
	h.ok("sudo postern host lockdown status")
}
