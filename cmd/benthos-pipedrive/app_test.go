package main

import (
	"io"

	"github.com/urfave/cli/v2"
)

// appOf is a program of one command. It goes without the library's help, whose flag is one for all programs of a process:
// tests run beside each other.
func appOf(command *cli.Command, out, wrong io.Writer) *cli.App {
	command.HideHelp = true
	for _, sub := range command.Subcommands {
		sub.HideHelp = true
	}
	return &cli.App{
		Name: name, HideHelp: true, Commands: []*cli.Command{command}, Writer: out, ErrWriter: wrong,
		ExitErrHandler: func(*cli.Context, error) {},
	}
}
