package lockdown

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"github.com/postern-dev/postern/internal/host/lockdown/lockdowntest"
)

// serveIMDS answers on each address until the standard input ends, which it
// does when the tests do.
func serveIMDS(addresses []string) error {
	for _, a := range addresses {
		l, err := net.Listen("tcp", a)
		if err != nil {
			return err
		}
		go http.Serve(l, lockdowntest.Metadata()) //nolint:errcheck // ends with the process
		// What other protocols send is taken and not answered.
		if _, err := net.ListenPacket("udp", a); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	return pause(nil)
}

func pause([]string) error {
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// askSDK asks for the instance's id as the SDK for Go does.
func askSDK(args []string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	client := imds.New(imds.Options{Endpoint: args[0], Retryer: aws.NopRetryer{}})
	out, err := client.GetMetadata(ctx, &imds.GetMetadataInput{Path: "instance-id"})
	if err != nil {
		return err
	}
	id, err := io.ReadAll(out.Content)
	if err == nil && string(id) != "i-0123456789abcdef0" {
		err = errors.New("an unknown instance: " + string(id))
	}
	return err
}
