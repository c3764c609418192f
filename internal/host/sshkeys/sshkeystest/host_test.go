package sshkeystest

import "testing"

func TestTwinConforms(t *testing.T) { Conform(t, NewHost(), []string{"docker", "sudo"}) }
