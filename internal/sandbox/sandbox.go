// Package sandbox is an AWS endpoint in this process: IAM and STS over real
// HTTP with the real wire protocol, holding several accounts, verifying every
// signature and judging every call by the policies it holds. A handful of other
// services answer emptily, so that access can be used. It listens on the
// loopback interface only and never calls AWS.
package sandbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/time/rate"

	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/iam/eval"
	"github.com/postern-dev/postern/internal/estate"
)

// DefaultRegion is the region of the printed environment.
const DefaultRegion = "us-east-1"

// GitHubIssuer issues the tokens of GitHub Actions.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// Options say what kind of AWS to be. The zero value of every field but
// Accounts is a good default.
type Options struct {
	Accounts []AccountConfig
	// AnyAccount lets further accounts spring into being: one that is not
	// there yet is made, with the admin role, when the printed credentials
	// assume a role in it. So they serve any spec. Accounts lie in the home
	// account's partition then.
	AnyAccount  bool
	HomeAccount string // the printed credentials belong to it; empty: the first
	Region      string // of the printed environment; empty: DefaultRegion

	// DataFile keeps the state. It is read if it exists, and written shortly
	// after every change and on Close. It holds secret keys: mode 0600.
	DataFile string

	Clock   func() time.Time // nil: time.Now
	Latency time.Duration    // added to every call

	// PropagationDelay is how long authorisation, and the check of principals
	// in trust policies, do not see a change, as on AWS.
	PropagationDelay time.Duration
	// ReadDelay is how long the calls of IAM that read do not show a change,
	// as on AWS, whose replicas lag behind.
	ReadDelay time.Duration
	// Throttle is the calls per second that an account may make; 0: any.
	Throttle float64
	// Faults may make a call fail. It is asked after authentication; n counts
	// the account's calls of the action from 1. It must not block.
	Faults func(account, action string, n int) *Fault
	// RequestHook is told of every call that was answered. It must not call
	// the server.
	RequestHook func(Event)
	Quotas      estate.Quotas // zero fields: AWS's defaults

	// Issuers maps OIDC issuers to their JWKS: http URLs on the loopback
	// interface, or "" for the embedded issuer. The issuers that it lacks
	// cannot be reached. nil: GitHub's is the embedded one.
	Issuers map[string]string

	Log *slog.Logger // nil: silent
}

// AccountConfig is one account to have.
type AccountConfig struct {
	ID        string // 12 digits
	Partition string // empty: aws
	// AdminRole is a role to have in the account, with full access and trusting
	// the printed credentials: its name, "path/name" or ARN. Empty: none.
	AdminRole string
}

// Fault is a failure to inject.
type Fault struct {
	Status  int    // HTTP; 0: 500
	Code    string // AWS's; empty: ServiceFailure
	Message string
	// DropBefore and DropAfter close the connection instead of answering:
	// before the call has an effect, or after.
	DropBefore, DropAfter bool
}

// Event is one answered call.
type Event struct {
	Account   string // the caller's; empty if unknown
	Principal string // the caller's ARN; empty if unknown
	Action    string // "iam:CreateRole"
	Status    int    // HTTP; 0: the connection was dropped
	Code      string // AWS's error code; empty: success
}

// Server is a sandbox. It is safe for concurrent use.
type Server struct {
	opt     Options
	log     *slog.Logger
	quotas  estate.Quotas
	iam     map[string]operation
	sts     map[string]operation
	handler http.Handler

	mu       sync.Mutex // guards all below
	state    *state
	compiled map[policyKey]*eval.Policy
	limits   map[string]*rate.Limiter // by account
	dirty    bool
	server   *http.Server
	listener net.Listener

	reserve    reserve
	keyOnce    sync.Once
	issuerKey  jose.JSONWebKey
	issuerErr  error
	jobs       sync.Map // the issuer's bearer tokens → claims
	saveSignal chan struct{}
	background sync.WaitGroup
	stop       chan struct{}
	stopOnce   sync.Once
}

// New makes a sandbox with its accounts and the operator's credentials. It
// does not listen yet; ServeHTTP works already.
func New(opt Options) (*Server, error) {
	if len(opt.Accounts) == 0 {
		return nil, errors.New("make sandbox: no account is named")
	}
	if opt.Throttle < 0 || opt.PropagationDelay < 0 || opt.ReadDelay < 0 || opt.Latency < 0 {
		return nil, errors.New("make sandbox: a rate or a delay is below zero")
	}
	s := &Server{
		opt: opt, log: opt.Log, quotas: withDefaults(opt.Quotas),
		iam: byName(iamOperations()), sts: byName(stsOperations()),
		compiled: map[policyKey]*eval.Policy{}, limits: map[string]*rate.Limiter{},
		saveSignal: make(chan struct{}, 1), stop: make(chan struct{}),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.opt.Clock == nil {
		s.opt.Clock = time.Now
	}
	if s.opt.HomeAccount == "" {
		s.opt.HomeAccount = opt.Accounts[0].ID
	}
	if s.opt.Region == "" {
		s.opt.Region = DefaultRegion
	}
	if s.opt.Issuers == nil {
		s.opt.Issuers = map[string]string{GitHubIssuer: ""}
	}
	s.handler = s.routes()
	if err := checkIssuers(s.opt.Issuers); err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	var err error
	if s.state, err = load(opt.DataFile); err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	if err := s.furnish(); err != nil {
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	if err := s.save(); err != nil { // now, not when the work of a session is at stake
		return nil, fmt.Errorf("make sandbox: %w", err)
	}
	s.background.Go(s.saveLoop)
	return s, nil
}

// furnish makes the accounts and the operator that the options ask for.
func (s *Server) furnish() error {
	if !slices.ContainsFunc(s.opt.Accounts, func(a AccountConfig) bool { return a.ID == s.opt.HomeAccount }) {
		return fmt.Errorf("the home account %s is not among the accounts", s.opt.HomeAccount)
	}
	// The home account first: admin roles trust its operator.
	for _, home := range []bool{true, false} {
		for _, a := range s.opt.Accounts {
			if (a.ID == s.opt.HomeAccount) != home {
				continue
			}
			if err := s.EnsureAccount(a); err != nil {
				return err
			}
		}
	}
	return nil
}

// EnsureAccount adds an account, or an admin role to one that exists. What
// stands in it already is left alone.
func (s *Server) EnsureAccount(config AccountConfig) error {
	if !iam.IsAccountID(config.ID) {
		return fmt.Errorf("account id %q is not 12 digits", config.ID)
	}
	if config.Partition == "" {
		config.Partition = "aws"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opt.Clock()
	a, ok := s.state.Accounts[config.ID]
	if !ok {
		a = newAccount(config.ID, config.Partition)
		s.state.Accounts[a.ID] = a
	}
	if a.Partition != config.Partition {
		return fmt.Errorf("account %s lies in partition %s, not %s", a.ID, a.Partition, config.Partition)
	}
	if a.ID == s.opt.HomeAccount {
		s.ensureOperator(a, now)
	}
	if config.AdminRole != "" {
		if err := s.ensureAdminRole(a, config.AdminRole, now); err != nil {
			return err
		}
	}
	s.grantOperator(now)
	for _, a := range s.state.Accounts {
		a.arrive(now)
	}
	s.changed()
	return nil
}

// Credentials returns the operator's access key.
func (s *Server) Credentials() (keyID, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, ok := s.state.Accounts[s.state.Operator.Account].Keys.get(s.state.Operator.AccessKeyID)
	if !ok { // somebody deleted it over the API
		return "", ""
	}
	return key.ID, key.Secret
}

// Env returns the environment that points every AWS client at the sandbox,
// as NAME=value lines. It is complete once the server listens.
func (s *Server) Env() []string {
	id, secret := s.Credentials()
	return []string{
		"AWS_ENDPOINT_URL=" + s.URL(),
		"AWS_ACCESS_KEY_ID=" + id,
		"AWS_SECRET_ACCESS_KEY=" + secret,
		"AWS_SESSION_TOKEN=",
		"AWS_REGION=" + s.opt.Region,
		"AWS_DEFAULT_REGION=" + s.opt.Region,
	}
}

// Listen opens a port of the loopback interface, such as "127.0.0.1:0", and
// serves in the background until Close.
func (s *Server) Listen(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("listen on %q: %w", addr, err)
	}
	if !isLoopback(host) {
		return fmt.Errorf("listen on %q: the sandbox serves the loopback interface only: write 127.0.0.1", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("listen on %q: %w", addr, err)
	}
	s.background.Go(func() {
		if err := s.Serve(l); err != nil {
			s.log.Error("sandbox stopped", "error", err)
		}
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listener = l
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Serve answers on a listener of the loopback interface until Close.
func (s *Server) Serve(l net.Listener) error {
	if a, ok := l.Addr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
		return errors.Join(fmt.Errorf("serve %s: the sandbox serves the loopback interface only", l.Addr()), l.Close())
	}
	s.mu.Lock()
	if s.server != nil {
		s.mu.Unlock()
		return errors.Join(errors.New("serve: the sandbox serves already"), l.Close())
	}
	s.listener = l
	s.server = &http.Server{Handler: s, ConnState: s.reserve.track, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	server := s.server
	s.mu.Unlock()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", l.Addr(), err)
	}
	return nil
}

// URL is the endpoint, empty before Listen or Serve.
func (s *Server) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return ""
	}
	return "http://" + s.listener.Addr().String()
}

// Close lets the running calls end, stops serving and saves the state.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	server, listener := s.server, s.listener
	s.mu.Unlock()
	var err error
	switch {
	case server != nil:
		s.reserve.close()
		if err = server.Shutdown(ctx); err != nil {
			err = errors.Join(fmt.Errorf("close sandbox: %w", err), server.Close())
		}
	case listener != nil: // Listen's goroutine has not come to serve yet
		err = listener.Close()
	}
	s.stopOnce.Do(func() { close(s.stop) })
	s.background.Wait()
	return errors.Join(err, s.save())
}

func withDefaults(q estate.Quotas) estate.Quotas {
	d := estate.DefaultQuotas()
	for _, f := range []struct{ to, from *int }{
		{&q.ManagedPolicySize, &d.ManagedPolicySize},
		{&q.RoleInlineSize, &d.RoleInlineSize},
		{&q.GroupInlineSize, &d.GroupInlineSize},
		{&q.UserInlineSize, &d.UserInlineSize},
		{&q.TrustPolicySize, &d.TrustPolicySize},
		{&q.AttachedPerRole, &d.AttachedPerRole},
		{&q.Roles, &d.Roles},
		{&q.Users, &d.Users},
		{&q.Groups, &d.Groups},
		{&q.Policies, &d.Policies},
		{&q.InstanceProfiles, &d.InstanceProfiles},
		{&q.Providers, &d.Providers},
	} {
		if *f.to == 0 {
			*f.to = *f.from
		}
	}
	return q
}

// adminName takes the path and the name out of AccountConfig.AdminRole.
func adminName(role string) (path, name string) {
	if i := strings.Index(role, ":role/"); i >= 0 {
		role = role[i+len(":role/"):]
	}
	role = strings.Trim(role, "/")
	i := strings.LastIndexByte(role, '/')
	return "/" + role[:i+1], role[i+1:]
}
