// Package aws is the rim to AWS and the only importer of its SDK: it finds
// credentials, reads accounts into estates, makes the changes of a plan and
// turns AWS's errors into faults that say what to do. It decides nothing: what
// to change is the plan's business, when and how often internal/apply's.
package aws

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/postern-dev/postern/internal/fault"
)

// Options say which accounts to reach and with which credentials.
type Options struct {
	Partition string // aws, aws-us-gov, aws-cn; empty: that of the credentials
	Region    string // empty: the environment's, else the partition's first
	Profile   string // of ~/.aws/config; empty: AWS_PROFILE or the default one
	Accounts  []Account
	// Endpoint and Credentials together replace everything that the
	// environment says: the embedded AWS of up --sandbox.
	Endpoint    string // "http://127.0.0.1:4566"
	Credentials *StaticCredentials
}

// Account is an account of the stack.
type Account struct {
	ID        string // 12 digits
	Name      string // in the spec
	AdminRole string // name, path and name, or ARN of a role to assume; empty: the caller's credentials
}

// StaticCredentials are a key pair, with a session token if it is temporary.
type StaticCredentials struct {
	ID, Secret, Session string
}

// String keeps the secret out of logs.
func (s StaticCredentials) String() string { return "credentials " + s.ID }

// GoString keeps the secret out of %#v.
func (s StaticCredentials) GoString() string { return s.String() }

// Caller is whose credentials these are.
type Caller struct {
	Account string // 12 digits
	ARN     string
}

// Cloud is a connection to the accounts of a stack. It is safe for use by
// several goroutines.
type Cloud struct {
	cfg       sdk.Config // the caller's
	partition string
	caller    Caller
	accounts  map[string]*account // by ID
}

// account is how one account is reached. The client paces itself: the SDK's
// adaptive mode measures the rate at which this account throttles and stays
// below it.
type account struct {
	id, partition string
	iam           *iam.Client
}

// Connect finds credentials the way AWS's own tools do, asks once whose they
// are, and assumes the admin role of each account that has one. All accounts
// that cannot be reached are reported together, with exit code fault.Auth.
func Connect(ctx context.Context, o Options) (*Cloud, error) {
	cfg, err := load(ctx, o)
	if err != nil {
		return nil, err
	}
	c := &Cloud{cfg: cfg, partition: o.Partition, accounts: map[string]*account{}}
	// Two attempts: who has no network should hear of it soon.
	out, err := sts.NewFromConfig(cfg, func(o *sts.Options) { o.RetryMaxAttempts = 2 }).GetCallerIdentity(ctx, nil)
	if err != nil {
		return nil, explain(err, "", "sts:GetCallerIdentity")
	}
	c.caller = Caller{Account: sdk.ToString(out.Account), ARN: sdk.ToString(out.Arn)}
	at, err := arn.Parse(c.caller.ARN)
	switch {
	case o.Partition == "" && err == nil:
		c.partition = at.Partition
	case o.Partition == "":
		c.partition = "aws"
	case err == nil && at.Partition != o.Partition:
		return nil, &fault.Error{
			Code: fault.Auth,
			What: "credentials are of partition " + at.Partition + ", the stack's region is in " + o.Partition,
			Hint: "set AWS_PROFILE to credentials of " + o.Partition + ", or correct the stack's region",
		}
	}
	if err := c.reach(ctx, o.Accounts); err != nil {
		return nil, err
	}
	return c, nil
}

// Caller returns whose credentials the connection began with.
func (c *Cloud) Caller() Caller { return c.caller }

func (c *Cloud) reach(ctx context.Context, accounts []Account) error {
	configs := make([]sdk.Config, len(accounts))
	errs := make([]error, len(accounts))
	var wg sync.WaitGroup
	for i, a := range accounts {
		wg.Go(func() { configs[i], errs[i] = c.enter(ctx, a) })
	}
	wg.Wait()
	var list fault.List
	for i, a := range accounts {
		if errs[i] != nil {
			list = append(list, errs[i])
			continue
		}
		c.accounts[a.ID] = &account{id: a.ID, partition: c.partition, iam: iam.NewFromConfig(configs[i], patient)}
	}
	return list.Err()
}

// patient gives IAM's throttling time to pass before apply hears of it.
func patient(o *iam.Options) { o.RetryMaxAttempts = 5 }

// enter returns a configuration whose credentials act in the account.
func (c *Cloud) enter(ctx context.Context, a Account) (sdk.Config, error) {
	if a.AdminRole == "" {
		if a.ID != c.caller.Account {
			return sdk.Config{}, wrongAccount(c.caller, a)
		}
		return c.cfg, nil
	}
	role := adminRoleARN(c.partition, a)
	if c.isSessionOf(role) {
		return c.cfg, nil
	}
	cfg := c.cfg.Copy()
	cfg.Credentials = sdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c.cfg), role,
		func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName(c.caller.ARN)
			o.Duration = time.Hour // the most that role chaining allows
		}))
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return sdk.Config{}, explainAssume(err, role, a.Name, c.caller)
	}
	return cfg, nil
}

func wrongAccount(caller Caller, a Account) error {
	return &fault.Error{
		Code: fault.Auth,
		What: "credentials are of account " + caller.Account + ", the stack's account " + a.Name + " is " + a.ID,
		Hint: "give account " + a.Name + " an admin_role that " + caller.ARN + " may assume, or set AWS_PROFILE to credentials of " + a.ID,
	}
}

func adminRoleARN(partition string, a Account) string {
	if strings.HasPrefix(a.AdminRole, "arn:") {
		return a.AdminRole
	}
	return "arn:" + partition + ":iam::" + a.ID + ":role/" + strings.TrimPrefix(a.AdminRole, "/")
}

// isSessionOf says whether the caller already is a session of the role. The
// ARN of a session has the role's name but not its path.
func (c *Cloud) isSessionOf(roleARN string) bool {
	role, err := arn.Parse(roleARN)
	if err != nil {
		return false
	}
	caller, err := arn.Parse(c.caller.ARN)
	if err != nil || caller.AccountID != role.AccountID {
		return false
	}
	name := role.Resource[strings.LastIndex(role.Resource, "/")+1:]
	return strings.HasPrefix(caller.Resource, "assumed-role/"+name+"/")
}

var notInSessionName = lazily(`[^\w+=,.@-]`)

// sessionName carries the caller's name into CloudTrail: at most 64 of the
// characters that STS takes.
func sessionName(callerARN string) string {
	name := callerARN[strings.LastIndexAny(callerARN, "/:")+1:]
	name = "postern-" + notInSessionName().ReplaceAllString(name, "-")
	return name[:min(len(name), 64)]
}

// load finds the caller's configuration and makes sure that it holds
// credentials.
func load(ctx context.Context, o Options) (sdk.Config, error) {
	if o.Credentials != nil {
		return sdk.Config{
			Region:       regionOr(o.Region, o.Partition),
			BaseEndpoint: optional(o.Endpoint),
			Credentials:  credentials.NewStaticCredentialsProvider(o.Credentials.ID, o.Credentials.Secret, o.Credentials.Session),
			HTTPClient:   ownBody{httpClient()},
			RetryMode:    sdk.RetryModeAdaptive,
		}, nil
	}
	opts := []func(*config.LoadOptions) error{
		config.WithSharedConfigProfile(o.Profile),
		config.WithRegion(o.Region),
		config.WithHTTPClient(httpClient()),
		config.WithRetryMode(sdk.RetryModeAdaptive),
		config.WithEC2RoleCredentialOptions(func(o *ec2rolecreds.Options) { o.Client = metadata() }),
	}
	if o.Endpoint != "" {
		opts = append(opts, config.WithBaseEndpoint(o.Endpoint))
	}
	cfg, err := config.LoadDefaultConfig(ctx, opts...)
	if err != nil {
		return sdk.Config{}, explainCredentials(err)
	}
	cfg.Region = regionOr(cfg.Region, o.Partition)
	// Not earlier: AWS_CA_BUNDLE is for clients of the SDK's own type only.
	cfg.HTTPClient = ownBody{cfg.HTTPClient}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return sdk.Config{}, explainCredentials(err)
	}
	return cfg, nil
}

// regionOr gives IAM and STS a region to find their partition by.
func regionOr(region, partition string) string {
	if region != "" {
		return region
	}
	switch partition {
	case "aws-us-gov":
		return "us-gov-west-1"
	case "aws-cn":
		return "cn-north-1"
	default:
		return "us-east-1"
	}
}

func (c *Cloud) account(id string) (*account, error) {
	a, ok := c.accounts[id]
	if !ok {
		return nil, errors.New("account " + id + " is not connected")
	}
	return a, nil
}

// optional leaves a parameter out if it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
