package sandbox

import (
	"net/url"
	"slices"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// Bounds of OIDC providers.
const (
	maxClientIDs   = 100
	maxClientID    = 255
	maxThumbprints = 5
)

var thumbprint = lazily(`^[0-9a-fA-F]{40}$`)

func providerOperations() []operation {
	on := providerResource
	return slices.Concat(providerFamily().tagOperations(), []operation{
		{name: "CreateOpenIDConnectProvider", run: createProvider, allow: all(
			needs("iam:CreateOpenIDConnectProvider", newProvider),
			given("Tags", needs("iam:TagOpenIDConnectProvider", newProvider)),
		)},
		{name: "GetOpenIDConnectProvider", run: getProvider, allow: needs("iam:GetOpenIDConnectProvider", on), reads: true},
		{name: "ListOpenIDConnectProviders", run: listProviders, allow: needs("iam:ListOpenIDConnectProviders", listing("oidc-provider")), reads: true},
		{name: "DeleteOpenIDConnectProvider", run: deleteProvider, allow: needs("iam:DeleteOpenIDConnectProvider", on)},
		{name: "AddClientIDToOpenIDConnectProvider", run: addClientID, allow: needs("iam:AddClientIDToOpenIDConnectProvider", on)},
		{name: "RemoveClientIDFromOpenIDConnectProvider", run: removeClientID, allow: needs("iam:RemoveClientIDFromOpenIDConnectProvider", on)},
		{name: "UpdateOpenIDConnectProviderThumbprint", run: updateThumbprints, allow: needs("iam:UpdateOpenIDConnectProviderThumbprint", on)},
	})
}

// providerFamily has tags alone.
func providerFamily() family {
	return family{
		word: "OpenIDConnectProvider", noun: "provider", resource: providerResource,
		open: func(c *call) (entity, error) {
			p, err := c.findProvider()
			if err != nil {
				return entity{}, err
			}
			return entity{name: p.URL, tags: &p.Tags, save: func() { c.saveProvider(p) }}, nil
		},
	}
}

func newProvider(c *call) resource {
	return resource{arn: c.account.arn("oidc-provider", "/", strings.TrimPrefix(c.params["Url"], "https://"))}
}

func providerResource(c *call) resource {
	arn := c.params["OpenIDConnectProviderArn"]
	if p, ok := c.account.Providers.get(providerURL(arn)); ok {
		return resource{arn: arn, tags: p.Tags}
	}
	return resource{arn: arn}
}

// providerURL is the issuer in a provider's ARN, without "https://".
func providerURL(arn string) string {
	a, err := iam.ParseARN(arn)
	if err != nil {
		return ""
	}
	issuer, ok := strings.CutPrefix(a.Resource, "oidc-provider/")
	if !ok {
		return ""
	}
	return issuer
}

func (c *call) providerARN(p *provider) string { return c.account.arn("oidc-provider", "/", p.URL) }

// findProvider returns a copy.
func (c *call) findProvider() (*provider, error) {
	arn, err := c.params.required("OpenIDConnectProviderArn")
	if err != nil {
		return nil, err
	}
	p, ok := c.account.Providers.get(providerURL(arn))
	if !ok || c.providerARN(p) != arn {
		return nil, noSuchEntity("OpenIDConnect Provider not found for arn %s", arn)
	}
	return p.clone(), nil
}

func (c *call) saveProvider(p *provider) { c.account.Providers.put(p.URL, p, c.due()) }

func checkClientIDs(ids []string) error {
	if len(ids) > maxClientIDs {
		return limitExceeded("Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: %d", maxClientIDs)
	}
	for _, id := range ids {
		if id == "" || len(id) > maxClientID {
			return invalid("1 validation error detected: Value '%s' at 'clientIDList' failed to satisfy constraint: Member must have length between 1 and %d", id, maxClientID)
		}
	}
	return nil
}

func checkThumbprints(list []string) error {
	if len(list) > maxThumbprints {
		return invalidInput("Thumbprint list must contain fewer than %d entries.", maxThumbprints+1)
	}
	for _, t := range list {
		if !thumbprint().MatchString(t) {
			return invalid("1 validation error detected: Value '%s' at 'thumbprintList' failed to satisfy constraint: Member must have length 40", t)
		}
	}
	return nil
}

func createProvider(c *call) (any, error) {
	raw, err := c.params.required("Url")
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || len(raw) > maxClientID {
		return nil, invalid("Invalid Open ID Connect Provider URL")
	}
	p := &provider{
		URL: strings.TrimSuffix(u.Host+u.Path, "/"), Created: c.now.UTC(),
		ClientIDs: c.params.list("ClientIDList"), Thumbprints: c.params.list("ThumbprintList"),
	}
	if err := checkClientIDs(p.ClientIDs); err != nil {
		return nil, err
	}
	if err := checkThumbprints(p.Thumbprints); err != nil {
		return nil, err
	}
	if p.Tags, err = c.params.tags(); err != nil {
		return nil, err
	}
	if sameName(&c.account.Providers, p.URL) {
		return nil, alreadyExists("Provider with url %s already exists.", "https://"+p.URL)
	}
	if len(c.account.Providers.live) >= c.s.quotas.Providers {
		return nil, limitExceeded("Cannot exceed quota for OpenIdConnectProvidersPerAccount: %d", c.s.quotas.Providers)
	}
	c.saveProvider(p)
	return struct {
		OpenIDConnectProviderArn string
		Tags                     *list[tagXML]
	}{c.providerARN(p), tagsOrNone(p.Tags)}, nil
}

func getProvider(c *call) (any, error) {
	p, err := c.findProvider()
	if err != nil {
		return nil, err
	}
	return struct {
		Url            string
		CreateDate     string
		ClientIDList   list[string]
		ThumbprintList list[string]
		Tags           *list[tagXML]
	}{p.URL, stamp(p.Created), list[string]{p.ClientIDs}, list[string]{p.Thumbprints}, tagsOrNone(p.Tags)}, nil
}

func listProviders(c *call) (any, error) {
	type entry struct{ Arn string }
	return struct{ OpenIDConnectProviderList list[entry] }{
		listOf(c.account.Providers.all(), func(p *provider) entry { return entry{c.providerARN(p)} }),
	}, nil
}

func deleteProvider(c *call) (any, error) {
	p, err := c.findProvider()
	if err != nil {
		return nil, err
	}
	c.account.Providers.remove(p.URL, c.due())
	return nil, nil
}

func addClientID(c *call) (any, error) {
	p, err := c.findProvider()
	if err != nil {
		return nil, err
	}
	id, err := c.params.required("ClientID")
	if err != nil {
		return nil, err
	}
	if slices.Contains(p.ClientIDs, id) {
		return nil, nil
	}
	p.ClientIDs = append(p.ClientIDs, id)
	if err := checkClientIDs(p.ClientIDs); err != nil {
		return nil, err
	}
	c.saveProvider(p)
	return nil, nil
}

func removeClientID(c *call) (any, error) {
	p, err := c.findProvider()
	if err != nil {
		return nil, err
	}
	id, err := c.params.required("ClientID")
	if err != nil {
		return nil, err
	}
	p.ClientIDs = slices.DeleteFunc(p.ClientIDs, func(have string) bool { return have == id })
	c.saveProvider(p)
	return nil, nil
}

func updateThumbprints(c *call) (any, error) {
	p, err := c.findProvider()
	if err != nil {
		return nil, err
	}
	p.Thumbprints = c.params.list("ThumbprintList")
	if err := checkThumbprints(p.Thumbprints); err != nil {
		return nil, err
	}
	c.saveProvider(p)
	return nil, nil
}
