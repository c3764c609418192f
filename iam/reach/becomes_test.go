package reach

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBecomes(t *testing.T) {
	const far, me = "222222222222", "arn:aws:iam::" + near + ":user/me"
	ask := `{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"arn:aws:iam::*:role/asked*"}`
	named := `{"Effect":"Allow","Principal":{"AWS":"` + me + `"},"Action":"sts:AssumeRole"`
	members := []Member{
		userOf(near, "me", with(ask)),
		userOf(near, "idle", with(allowAll)),
		roleOf(near, "asked-by-account", trustHome, Principal{}),
		roleOf(near, "asked-if", named+`,"Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}`, Principal{}),
		roleOf(near, "asked-never", trustFn, Principal{}),
		roleOf(near, "by-account", trustHome, Principal{}),
		roleOf(near, "by-name", named+"}", Principal{}),
		roleOf(near, "denied", named+`},{"Effect":"Deny","Principal":"*","Action":"*"}`, Principal{}),
		roleOf(far, "asked-far", named+"}", Principal{}),
		roleOf(far, "far", named+"}", Principal{}),
	}
	lines := func(list []Entrance) []string {
		var out []string
		for _, e := range list {
			line := fmt.Sprintf("%s %s:", short(e.Role), e.Extent)
			for _, f := range e.Via {
				line += fmt.Sprintf(" %s/%d", short(f.Policy), f.Index)
			}
			out = append(out, line)
		}
		return out
	}
	w := NewWorld(members, Facts{Now: now})
	want := []string{
		"role/asked-by-account always: p/0 trust policy of arn:aws:iam::111111111111:role/asked-by-account/0",
		"role/asked-if sometimes: p/0 trust policy of arn:aws:iam::111111111111:role/asked-if/0",
		"role/by-name sometimes: trust policy of arn:aws:iam::111111111111:role/by-name/0",
		"222222222222:role/asked-far always: p/0 trust policy of arn:aws:iam::222222222222:role/asked-far/0",
	}
	if diff := cmp.Diff(want, lines(w.Becomes(me))); diff != "" {
		t.Errorf("Becomes (-want +got):\n%s", diff)
	}
	if got := w.Becomes("arn:aws:iam::" + near + ":user/nobody"); got != nil {
		t.Errorf("Becomes of nobody = %v", got)
	}
}
