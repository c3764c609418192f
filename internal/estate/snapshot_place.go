package estate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/postern-dev/postern/iam"
)

// placed is an entity of a snapshot: its ARN, and the path and name that must
// agree with it.
type placed struct{ kind, arn, path, name string }

// place finds the account of an entity. A path or a name that is missing is
// read from the ARN. Two of a kind with one name, which no account can have,
// are refused: the answers would be those for either.
func (r *snapshotReader) place(p *placed) (*Account, error) {
	a, err := r.account(p.arn)
	if err != nil {
		return nil, err
	}
	arn, err := iam.ParseARN(p.arn)
	if err != nil {
		return nil, err
	}
	full := strings.TrimPrefix(arn.Resource, p.kind)
	slash := strings.LastIndexByte(full, '/') + 1
	if p.name == "" {
		p.name = full[slash:]
	}
	if p.path == "" {
		p.path = full[:slash]
	}
	id := a.ID + " " + p.kind + " " + strings.ToLower(p.name)
	switch {
	case arn.Partition != a.Partition:
		return nil, fmt.Errorf("account %s is in partition %s and, by %s, in another", a.ID, a.Partition, p.arn)
	case p.name == "" || a.arn(p.kind+p.path+p.name) != p.arn:
		return nil, fmt.Errorf("%s is not the ARN of %s %q on path %q", p.arn, p.kind, p.name, p.path)
	case r.seen[id]:
		return nil, fmt.Errorf("%s %s of account %s is there twice", p.kind, p.name, a.ID)
	}
	r.seen[id] = true
	return a, nil
}

// unreadable says what is wrong with the text of a snapshot, without the names
// of Go types.
func unreadable(err error) error {
	wrong := new(json.UnmarshalTypeError)
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("it is cut off")
	case !errors.As(err, &wrong):
		return err
	case wrong.Field == "":
		return fmt.Errorf("it is of the wrong type: %s", wrong.Value)
	}
	return fmt.Errorf("%s is of the wrong type: %s", wrong.Field, wrong.Value)
}
