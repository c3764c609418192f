package input

import (
	"github.com/postern-dev/postern/iam"
	"github.com/postern-dev/postern/internal/fault"
)

// ParsePolicy reads a policy document; every mistake is told with its place in
// the file.
func ParsePolicy(file string, text []byte) (*iam.Document, error) {
	doc, err := iam.Parse(text)
	if errs, ok := err.(iam.SyntaxErrors); ok {
		var list fault.List
		for _, one := range errs {
			list = append(list, &fault.Error{Where: file + ":" + one.Pos.String(), What: one.Msg})
		}
		return nil, list.Err()
	}
	return doc, err
}
