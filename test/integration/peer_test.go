package integration

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/postern-dev/postern/internal/sandbox"
	"github.com/postern-dev/postern/test/witness"
)

// adminRole is the role through which the program manages an account.
const adminRole = "postern-admin"

// homeAccount is moto's account for every key that it does not know.
const homeAccount = "123456789012"

// peer is an AWS to run against. Each scenario has accounts of its own in it.
type peer struct {
	name string
	env  []string                      // the operator's credentials and the endpoint
	open func(t testing.TB, id string) // makes an account that the operator may manage
	lack map[deviation]string          // what it does not do as AWS does
}

// deviation is something that a scenario would assert and moto does not do.
type deviation string

// The deviations of moto 5.2.5 that cost an assertion, each with what it does
// instead. Whatever is not listed here holds for both peers alike.
//
// Others cost nothing, as the suite says nothing of them for either peer:
// moto judges no call and no token, takes any principal in a trust policy, has
// no delays and no rate, does not know AWS's own policies, assumes roles that
// do not exist, and leaves PolicyName out of GetAccountAuthorizationDetails,
// which it gives in one page whatever its size. Tests of the sandbox alone
// cover those.
const (
	noAddClientID deviation = "AddClientIDToOpenIDConnectProvider"
)

var motoLacks = map[deviation]string{
	noAddClientID: "is not implemented: HTTP 500",
}

// lacks says, in the log too, whether the peer cannot show something.
func (p *peer) lacks(t testing.TB, d deviation) bool {
	t.Helper()
	why, lacks := p.lack[d]
	if lacks {
		t.Logf("left out: %s of %s %s", d, p.name, why)
	}
	return lacks
}

// startSandbox serves a sandbox in this process until the test ends. The home
// account is named last if opt has none.
func startSandbox(t testing.TB, opt sandbox.Options) *sandbox.Server {
	t.Helper()
	if opt.HomeAccount == "" {
		opt.HomeAccount = homeAccount
		opt.Accounts = append(opt.Accounts, sandbox.AccountConfig{ID: homeAccount})
	}
	s, err := sandbox.New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Listen("127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func sandboxPeer(t testing.TB, opt sandbox.Options) *peer {
	t.Helper()
	s := startSandbox(t, opt)
	return &peer{
		name: "sandbox", env: s.Env(),
		open: func(t testing.TB, id string) {
			if err := s.EnsureAccount(sandbox.AccountConfig{ID: id, AdminRole: adminRole}); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// motoPeer starts moto. It has every account as soon as somebody assumes a
// role there, whether that role exists or not.
func motoPeer(t testing.TB) *peer {
	t.Helper()
	return &peer{
		name: "moto", lack: motoLacks,
		env: []string{
			"AWS_ENDPOINT_URL=" + witness.Moto(t),
			"AWS_ACCESS_KEY_ID=AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY=example",
			"AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		},
		open: func(testing.TB, string) {},
	}
}

var accounts atomic.Int64

// newAccount opens an account that no other scenario uses and returns its id.
func (p *peer) newAccount(t testing.TB) string {
	t.Helper()
	id := fmt.Sprintf("9%011d", accounts.Add(1))
	p.open(t, id)
	return id
}
