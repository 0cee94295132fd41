// Benthos-pipedrive is a Benthos that reads Pipedrive: everything the host's command line does, with our components
// and those of the outputs people use, and the sub-commands beside this file.
package main

import (
	"context"

	"github.com/redpanda-data/benthos/v4/public/service"
)

// name is what the help texts call both the program and the product.
const name = "benthos-pipedrive"

// The linker writes these two: -X main.version=v0.1.0 -X main.dateBuilt=2026-11-24T10:00:00Z.
var (
	version   = "dev"
	dateBuilt = "unknown"
)

func main() {
	service.RunCLI(context.Background(), options()...)
}

func options() []service.CLIOptFunc {
	return []service.CLIOptFunc{
		service.CLIOptSetVersion(version, dateBuilt),
		service.CLIOptSetBinaryName(name),
		service.CLIOptSetProductName(name),
		service.CLIOptSetDocumentationURL("https://github.com/benthos-pipedrive/benthos-pipedrive"),
		service.CLIOptAddCommand(simulateCommand()),
		service.CLIOptAddCommand(webhooksCommand()),
		service.CLIOptAddCommand(journalCommand()),
		service.CLIOptAddCommand(importCommand()),
		service.CLIOptAddCommand(checkCommand()),
	}
}
