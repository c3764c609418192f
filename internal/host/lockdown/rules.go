package lockdown

import "time"

// Table is the name of our table, of family inet.
const Table = "postern_lockdown"

// table describes the firewall as data. Both the netlink messages and the text
// for nft are made from it, so that what is reviewed is what is applied.
type table struct {
	sets   []set
	chains []chain
}

// set is a named set.
type set struct {
	name     string
	key      keyType
	interval bool          // elements are ranges
	size     uint32        // 0: without limit
	timeout  time.Duration // of elements that packets add; 0: packets add none
	elements []element
}

// keyType is nftables' name for the type of a set's elements.
type keyType string

const (
	uidKey keyType = "uid"
	ip4Key keyType = "ipv4_addr"
	ip6Key keyType = "ipv6_addr"
)

// element is a member of a set, with the forms that both writers need.
type element struct {
	text string
	from []byte // in the kernel's byte order for the type
	end  []byte // the first key behind the range; nil for one key, and for a range to the very end
}

// chain is a chain; without a hook it is only gone to.
type chain struct {
	name     string
	hook     hook
	priority int32
	rules    []rule
}

type hook string

const (
	noHook  hook = ""
	output  hook = "output"
	forward hook = "forward"
)

// rule is a list of expressions: what must match, then what is done.
type rule []expression

// expression is one of the types below.
type expression interface{ nft() string }

type (
	byAllowed   struct{}                    // the socket's opener is in allow_uid
	hasSocket   struct{}                    // the packet belongs to a socket of some user
	address     struct{ field, set string } // field as nft writes it: "ip daddr"
	established struct{}                    // conntrack knows the flow
	translated  struct{}                    // conntrack has changed the destination
	isTCP       struct{}
	count       struct{}
	remember    struct{ key, set string } // count the key in a dynamic set
	limit       struct{ rate, burst uint32 }
	logTo       struct{ group uint16 }
	resetTCP    struct{}
	prohibit    struct{} // an ICMP answer
	accept      struct{}
	goTo        struct{ chain string }
)

// Names of sets and chains that readers of the table look up.
const (
	allowSet  = "allow_uid"
	deniedSet = "denied_uid"
	denyChain = "deny"
	logPrefix = "postern-lockdown"
)

// How much is remembered of refusals. A full set does not weaken the guard:
// remembering and refusing are different rules.
const (
	deniedSize = 4096
	deniedFor  = 24 * time.Hour
)

// family is what differs between IPv4 and IPv6.
type family struct {
	suffix       string
	ip           string // as nft calls it
	key          keyType
	is4          bool
	source, dest string
}

var families = []family{
	{"4", "ip", ip4Key, true, "ip saddr", "ip daddr"},
	{"6", "ip6", ip6Key, false, "ip6 saddr", "ip6 daddr"},
}

func (f family) endpoints() string { return "endpoint" + f.suffix }
func (f family) passing() string   { return "forward" + f.suffix }
func (f family) denied() string    { return "denied_from" + f.suffix }

// describe gives the table that stands for a policy.
//
// The guard is hooked twice into output: before destination NAT, since the ECS
// agent rewrites its address there, and after it, for addresses that others
// rewrite into an endpoint. What a container sends never passes output; it is
// forwarded, and has a chain of its own.
func describe(p Policy) table {
	p = p.Normalised()
	return table{
		sets: sets(p),
		chains: []chain{
			denying(p),
			guard(),
			{name: "output_early", hook: output, priority: -150, rules: guarded(nil)},
			{name: "output_late", hook: output, priority: -10, rules: guarded(late(p))},
			{name: "forward", hook: forward, priority: -10, rules: forwarded()},
		},
	}
}

func sets(p Policy) []set {
	out := []set{
		{name: allowSet, key: uidKey, elements: uidElements(p.Allow)},
		{name: deniedSet, key: uidKey, size: deniedSize, timeout: deniedFor},
	}
	for _, f := range families {
		out = append(out,
			set{name: f.endpoints(), key: f.key, elements: addrElements(p.Endpoints, f.is4)},
			set{name: f.passing(), key: f.key, interval: true, elements: prefixElements(p.ForwardFrom, f.is4)},
			set{name: f.denied(), key: f.key, size: deniedSize, timeout: deniedFor},
		)
	}
	return out
}

// denying refuses at once: a client that is dropped hangs until its timeout,
// some for ever. Only reports are limited.
func denying(p Policy) chain {
	c := chain{name: denyChain}
	if p.LogGroup != 0 {
		c.rules = append(c.rules, rule{reports(p), logTo{p.LogGroup}})
	}
	if !p.Observe {
		c.rules = append(c.rules, rule{isTCP{}, resetTCP{}}, rule{prohibit{}})
	}
	return c
}

// reports bounds what a host that retries for ever writes into logs. Observing
// is for a while and wants to see everybody.
func reports(p Policy) limit {
	if p.Observe {
		return limit{200, 400}
	}
	return limit{5, 10}
}

// guard has three steps. The last packets of a connection belong to a socket
// that no process has any more, and so to no user: without the step for
// established flows they would be counted as refusals of users who are allowed.
// A refused user's flow is never established.
func guard() chain {
	return chain{name: "guard", rules: []rule{
		{byAllowed{}, accept{}},
		{hasSocket{}, remember{"meta skuid", deniedSet}},
		{hasSocket{}, count{}, goTo{denyChain}},
		{established{}, accept{}},
		{count{}, goTo{denyChain}},
	}}
}

// guarded sends what is for an endpoint to the guard, if it also meets the
// given expressions.
func guarded(also []expression) []rule {
	var rules []rule
	for _, f := range families {
		rules = append(rules, append(rule(also[:len(also):len(also)]), address{f.dest, f.endpoints()}, goTo{"guard"}))
	}
	return rules
}

// late keeps the second hook from counting again what the first has let pass,
// which it does only while observing.
func late(p Policy) []expression {
	if p.Observe {
		return []expression{translated{}}
	}
	return nil
}

func forwarded() []rule {
	var rules []rule
	for _, f := range families {
		to := address{f.dest, f.endpoints()}
		rules = append(rules,
			rule{address{f.source, f.passing()}, to, accept{}},
			rule{to, remember{f.source, f.denied()}},
			rule{to, count{}, goTo{denyChain}},
		)
	}
	return rules
}
