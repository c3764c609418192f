package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/postern-dev/postern/internal/fault"
	"github.com/postern-dev/postern/internal/host/sshkeys"
)

// SSHKeys reads the members of IAM groups and their SSH public keys. It finds
// credentials with its first call, not before: a host may start while AWS is
// away.
//
// It needs iam:GetGroup on the groups, iam:ListSSHPublicKeys and
// iam:GetSSHPublicKey on the users, and iam:ListUserTags if tags are read.
type SSHKeys struct {
	opt SSHOptions

	connecting sync.Mutex
	client     *iam.Client
}

// SSHOptions say where the users are and how to get there.
type SSHOptions struct {
	Options           // Accounts is not used
	RoleARN    string // to assume; empty: the credentials of the host
	ExternalID string // that the role asks for; may be empty
	Host       string // whose name goes into CloudTrail
}

// NewSSHKeys returns a reader that has not made a call yet.
func NewSSHKeys(o SSHOptions) *SSHKeys { return &SSHKeys{opt: o} }

// callTime bounds a call with all its repetitions.
const callTime = 30 * time.Second

// iam returns the client and a context for one call.
func (k *SSHKeys) iam(ctx context.Context) (*iam.Client, context.Context, context.CancelFunc, error) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	k.connecting.Lock()
	defer k.connecting.Unlock()
	if k.client == nil {
		cfg, err := k.connect(ctx)
		if err != nil {
			cancel()
			return nil, nil, nil, err
		}
		k.client = iam.NewFromConfig(cfg, patient)
	}
	return k.client, ctx, cancel, nil
}

func (k *SSHKeys) connect(ctx context.Context) (sdk.Config, error) {
	o := k.opt
	if role, err := arn.Parse(o.RoleARN); err == nil && o.Partition == "" {
		o.Partition = role.Partition
	}
	cfg, err := load(ctx, o.Options)
	if err != nil || o.RoleARN == "" {
		return cfg, err
	}
	cfg.Credentials = sdk.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg.Copy()), o.RoleARN,
		func(p *stscreds.AssumeRoleOptions) {
			p.RoleSessionName = sessionName("/ssh-" + o.Host)
			p.ExternalID = optional(o.ExternalID)
		}))
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return sdk.Config{}, explain(err, o.RoleARN, "sts:AssumeRole")
	}
	return cfg, nil
}

// Members lists the users of a group.
func (k *SSHKeys) Members(ctx context.Context, group string) ([]sshkeys.Member, error) {
	client, ctx, cancel, err := k.iam(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	var members []sshkeys.Member
	pages := iam.NewGetGroupPaginator(client, &iam.GetGroupInput{GroupName: &group, MaxItems: sdk.Int32(pageSize)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return members, explain(err, "group "+group, "iam:GetGroup")
		}
		for _, u := range page.Users {
			members = append(members, sshkeys.Member{IAMUser: sdk.ToString(u.UserName), UserID: sdk.ToString(u.UserId)})
		}
	}
	return members, nil
}

// KeyIDs lists a user's active keys.
func (k *SSHKeys) KeyIDs(ctx context.Context, user string) ([]string, error) {
	client, ctx, cancel, err := k.iam(ctx)
	if err != nil {
		return nil, err
	}
	defer cancel()
	var ids []string
	pages := iam.NewListSSHPublicKeysPaginator(client, &iam.ListSSHPublicKeysInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, ofUser(err, user, "iam:ListSSHPublicKeys")
		}
		for _, key := range page.SSHPublicKeys {
			if key.Status == types.StatusTypeActive {
				ids = append(ids, sdk.ToString(key.SSHPublicKeyId))
			}
		}
	}
	return ids, nil
}

// PublicKey returns a key as a line of authorized_keys.
func (k *SSHKeys) PublicKey(ctx context.Context, user, id string) (string, error) {
	client, ctx, cancel, err := k.iam(ctx)
	if err != nil {
		return "", err
	}
	defer cancel()
	out, err := client.GetSSHPublicKey(ctx, &iam.GetSSHPublicKeyInput{UserName: &user, SSHPublicKeyId: &id, Encoding: types.EncodingTypeSsh})
	if err != nil {
		return "", ofUser(err, user, "iam:GetSSHPublicKey")
	}
	return sdk.ToString(value(out.SSHPublicKey).SSHPublicKeyBody), nil
}

// Tag returns the value of a user's tag, empty if there is none.
func (k *SSHKeys) Tag(ctx context.Context, user, key string) (string, error) {
	client, ctx, cancel, err := k.iam(ctx)
	if err != nil {
		return "", err
	}
	defer cancel()
	pages := iam.NewListUserTagsPaginator(client, &iam.ListUserTagsInput{UserName: &user})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", ofUser(err, user, "iam:ListUserTags")
		}
		if i := slices.IndexFunc(page.Tags, func(t types.Tag) bool { return sdk.ToString(t.Key) == key }); i >= 0 {
			return sdk.ToString(page.Tags[i].Value), nil
		}
	}
	return "", nil
}

// ofUser marks an error that says nothing about other users: this one is gone
// or, by its path or its tags, out of the role's reach.
func ofUser(err error, user, op string) error {
	explained := explain(err, "IAM user "+user, op)
	if api, ok := errors.AsType[smithy.APIError](err); ok && (isDenied(api.ErrorCode()) || api.ErrorCode() == "NoSuchEntity") {
		return fmt.Errorf("%w: %w", sshkeys.ErrUser, explained)
	}
	return explained
}

// InstanceTags reads the groups from tags of the EC2 instance that it runs on.
// They are read from the instance's metadata, which takes no permission.
type InstanceTags struct {
	Endpoint string // of the metadata service; empty: the instance's own
}

// The tags' keys, of characters that metadata shows: letters, digits and
// -_+=,.@: (RunInstances refuses others where metadata shows tags; tags of
// other tools with / in their keys keep an instance from showing any). Values
// are names of IAM groups between spaces, which no name has.
//
// https://github.com/aws/aws-cli/issues/8825
const (
	loginTag = "postern:ssh-groups"
	sudoTag  = "postern:ssh-sudo-groups"
)

// Keys are those of the tags: of groups that let in, and of groups that give sudo
// too.
func (InstanceTags) Keys() (login, sudo string) { return loginTag, sudoTag }

// Groups reads the tags. That metadata does not show tags is an error: who asks
// for groups by tag would otherwise be taken to want none.
//
// https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html
func (t InstanceTags) Groups(ctx context.Context) (sshkeys.Groups, error) {
	keys, err := instanceMetadata(ctx, t.Endpoint, "tags/instance")
	if err != nil {
		return sshkeys.Groups{}, err
	}
	if keys == nil {
		return sshkeys.Groups{}, &fault.Error{
			What: "the instance's metadata does not show its tags",
			Hint: "aws ec2 modify-instance-metadata-options --instance-metadata-tags enabled --instance-id ID",
		}
	}
	var g sshkeys.Groups
	for key, groups := range map[string]*[]string{loginTag: &g.Login, sudoTag: &g.Sudo} {
		if !slices.Contains(strings.Fields(*keys), key) {
			continue
		}
		names, err := instanceMetadata(ctx, t.Endpoint, "tags/instance/"+key)
		if err != nil {
			return sshkeys.Groups{}, err
		}
		if names != nil {
			*groups = strings.Fields(*names)
		}
		for _, name := range *groups {
			if err := sshkeys.CheckGroup(name); err != nil {
				return sshkeys.Groups{}, fmt.Errorf("instance tag %s: %w", key, err)
			}
		}
	}
	return g, nil
}
