package iam

// document reads the whole policy.
func (p *parser) document(doc *Document) bool {
	if !p.next() {
		return false
	}
	if !p.isDelim('{') {
		return p.mismatch("policy", "an object")
	}
	seen := false
	ok := p.members("element", false, func(name string, at int) bool {
		switch name {
		case "Version":
			return p.text(name, &doc.Version)
		case "Id":
			return p.text(name, &doc.ID)
		case "Statement":
			seen = true
			return p.statements(doc)
		}
		p.errorAt(at, "unknown element %q: a policy has Version, Id and Statement", name)
		return p.skip()
	})
	if ok && !seen {
		p.errorAt(0, "policy has no Statement")
	}
	return ok
}

func (p *parser) statements(doc *Document) bool {
	if !p.next() {
		return false
	}
	switch {
	case p.isDelim('{'):
		return p.statement(doc)
	case !p.isDelim('['):
		return p.mismatch("Statement", "an object or a list of objects")
	}
	for p.dec.More() {
		if !p.next() {
			return false
		}
		if !p.isDelim('{') {
			if !p.mismatch("statement", "an object") {
				return false
			}
			continue
		}
		if !p.statement(doc) {
			return false
		}
	}
	return p.next()
}

// statement reads the object whose brace is the last token.
func (p *parser) statement(doc *Document) bool {
	at := p.start
	s := Statement{Pos: p.pos(at)}
	has := map[string]bool{}
	ok := p.members("element", false, func(name string, at int) bool {
		has[name] = true
		return p.element(&s, name, at)
	})
	if !ok {
		return false
	}
	p.checkStatement(has, at)
	doc.Statements = append(doc.Statements, s)
	return true
}

func (p *parser) element(s *Statement, name string, at int) bool {
	switch name {
	case "Sid":
		return p.text(name, &s.SID)
	case "Effect":
		return p.effect(s)
	case "Principal":
		return p.principal(name, &s.Principal)
	case "NotPrincipal":
		return p.principal(name, &s.NotPrincipal)
	case "Action":
		return p.list(name, false, &s.Actions)
	case "NotAction":
		return p.list(name, false, &s.NotActions)
	case "Resource":
		return p.list(name, false, &s.Resources)
	case "NotResource":
		return p.list(name, false, &s.NotResources)
	case "Condition":
		return p.conditions(s)
	}
	p.errorAt(at, "unknown element %q in a statement", name)
	return p.skip()
}

func (p *parser) effect(s *Statement) bool {
	var text string
	if !p.text("Effect", &text) {
		return false
	}
	s.Effect = Effect(text)
	if _, isText := p.tok.(string); isText && s.Effect != Allow && s.Effect != Deny {
		p.errorAt(p.start, "Effect must be %q or %q", Allow, Deny)
	}
	return true
}

// checkStatement refuses elements that are missing or exclude each other.
func (p *parser) checkStatement(has map[string]bool, at int) {
	if !has["Effect"] {
		p.errorAt(at, "statement has no Effect")
	}
	if !has["Action"] && !has["NotAction"] {
		p.errorAt(at, "statement has no Action")
	}
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if has[name] && has["Not"+name] {
			p.errorAt(at, "statement has both %s and Not%s", name, name)
		}
	}
}

func (p *parser) principal(what string, dst **Principal) bool {
	if !p.next() {
		return false
	}
	out := &Principal{}
	*dst = out
	if text, ok := p.tok.(string); ok {
		out.Everyone = text == "*"
		if !out.Everyone {
			p.errorAt(p.start, `%s must be "*" or an object such as {"AWS": "…"}`, what)
		}
		return true
	}
	if !p.isDelim('{') {
		return p.mismatch(what, `"*" or an object`)
	}
	return p.members("principal type", false, func(name string, at int) bool {
		switch name {
		case "AWS":
			return p.list(what+" "+name, false, &out.AWS)
		case "Service":
			return p.list(what+" "+name, false, &out.Service)
		case "Federated":
			return p.list(what+" "+name, false, &out.Federated)
		case "CanonicalUser":
			return p.list(what+" "+name, false, &out.CanonicalUser)
		}
		p.errorAt(at, "unknown principal type %q: want AWS, Service, Federated or CanonicalUser", name)
		return p.skip()
	})
}

func (p *parser) conditions(s *Statement) bool {
	return p.object("Condition", true, func(operator string, _ int) bool {
		if !p.next() {
			return false
		}
		if !p.isDelim('{') {
			return p.mismatch("condition "+operator, "an object")
		}
		return p.members("condition key", true, func(key string, _ int) bool {
			c := Condition{Operator: operator, Key: key}
			if !p.list("value of "+key, true, &c.Values) {
				return false
			}
			s.Conditions = append(s.Conditions, c)
			return true
		})
	})
}
