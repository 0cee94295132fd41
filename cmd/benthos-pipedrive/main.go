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
		service.CLIOptSetMainSchemaFrom(schema),
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

// schema is the host's. A configuration that says nothing of metrics also exports those of the process, its memory and
// its starts, which the alerts and the dashboard in deploy look at.
func schema() *service.ConfigSchema {
	s := service.GlobalEnvironment().FullConfigSchema(version, dateBuilt)
	s.SetFieldDefault(map[string]any{
		"prometheus": map[string]any{"add_process_metrics": true, "add_go_metrics": true},
	}, "metrics")
	return s
}
