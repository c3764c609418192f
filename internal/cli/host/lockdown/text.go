package lockdown

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/postern-dev/postern/internal/host/lockdown"
)

// standingText says in one line what a policy means.
func standingText(p lockdown.Policy, names map[uint32]string) string {
	p = p.Normalised()
	var who []string
	for _, uid := range p.Allow {
		who = append(who, userText(uid, names))
	}
	text := "nobody reaches "
	if len(who) > 0 {
		text = "only " + several(who) + " may reach "
	}
	text += addressText(p.Endpoints)
	for i, f := range p.ForwardFrom {
		text += []string{", and containers of ", ", "}[min(i, 1)] + f.String()
	}
	if p.Observe {
		text = "observing, nothing is refused: " + text
	}
	return text
}

// several lists words, and of very many the first.
func several(words []string) string {
	const most = 10
	if len(words) <= most {
		return strings.Join(words, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(words[:most], ", "), len(words)-most)
}

func userText(uid uint32, names map[uint32]string) string {
	if name := names[uid]; name != "" {
		return name
	}
	return fmt.Sprintf("uid %d", uid)
}

func addressText(addrs []netip.Addr) string {
	var out []string
	for _, addr := range addrs {
		out = append(out, addr.String())
	}
	switch n := len(out); n {
	case 0:
		return "no endpoint"
	case 1:
	default:
		out = append(out[:n-2], out[n-2]+" and "+out[n-1])
	}
	return strings.Join(out, ", ")
}

// userNames names the users of this host, and those whom only the uid finds; as
// many as can be read soon, since they are only to be shown.
func userNames(ctx context.Context, uids ...uint32) map[uint32]string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	names, _ := lockdown.UserNames(ctx, lockdown.Getent, uids...)
	return names
}
