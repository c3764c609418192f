package lockdown

import (
	"fmt"
	"strings"
)

// Print gives the policy's table in nft's own syntax: nft -f of it makes the
// same table as Apply, replacing the one that stands in one transaction.
func Print(p Policy) string {
	var b strings.Builder
	// Adding it first makes deleting it safe where it is not there.
	fmt.Fprintf(&b, "table inet %s\ndelete table inet %s\ntable inet %s {\n", Table, Table, Table)
	t := describe(p)
	for _, s := range t.sets {
		s.print(&b)
	}
	for i, c := range t.chains {
		if i > 0 {
			b.WriteByte('\n')
		}
		c.print(&b)
	}
	b.WriteString("}\n")
	return b.String()
}

func (s set) print(b *strings.Builder) {
	fmt.Fprintf(b, "\tset %s {\n\t\ttype %s\n", s.name, s.key)
	if s.size != 0 {
		fmt.Fprintf(b, "\t\tsize %d\n", s.size)
	}
	if s.interval {
		b.WriteString("\t\tflags interval\n")
	}
	if s.timeout != 0 {
		fmt.Fprintf(b, "\t\tflags dynamic,timeout\n\t\tcounter\n\t\ttimeout %ds\n", int(s.timeout.Seconds()))
	}
	if len(s.elements) > 0 {
		var texts []string
		for _, e := range s.elements {
			texts = append(texts, e.text)
		}
		fmt.Fprintf(b, "\t\telements = { %s }\n", strings.Join(texts, ", "))
	}
	b.WriteString("\t}\n\n")
}

func (c chain) print(b *strings.Builder) {
	fmt.Fprintf(b, "\tchain %s {\n", c.name)
	if c.hook != noHook {
		fmt.Fprintf(b, "\t\ttype filter hook %s priority %d; policy accept;\n", c.hook, c.priority)
	}
	for _, r := range c.rules {
		var texts []string
		for _, e := range r {
			texts = append(texts, e.nft())
		}
		fmt.Fprintf(b, "\t\t%s\n", strings.Join(texts, " "))
	}
	b.WriteString("\t}\n")
}

func (byAllowed) nft() string   { return "meta skuid @" + allowSet }
func (hasSocket) nft() string   { return fmt.Sprintf("meta skuid != %d", uint32(nobody)) }
func (a address) nft() string   { return a.field + " @" + a.set }
func (established) nft() string { return "ct state established,related" }
func (translated) nft() string  { return "ct status dnat" }
func (isTCP) nft() string       { return "meta l4proto tcp" }
func (count) nft() string       { return "counter" }
func (r remember) nft() string  { return fmt.Sprintf("update @%s { %s }", r.set, r.key) }
func (l limit) nft() string {
	return fmt.Sprintf("limit rate %d/second burst %d packets", l.rate, l.burst)
}
func (l logTo) nft() string  { return fmt.Sprintf("log prefix %q group %d", logPrefix, l.group) }
func (resetTCP) nft() string { return "reject with tcp reset" }
func (prohibit) nft() string { return "reject with icmpx admin-prohibited" }
func (accept) nft() string   { return "accept" }
func (g goTo) nft() string   { return "goto " + g.chain }
