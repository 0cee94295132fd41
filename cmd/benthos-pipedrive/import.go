package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/instance"
)

func importCommand() *cli.Command {
	return &cli.Command{
		Name:      "import-instance",
		Usage:     "Write the pipeline that takes the place of a Pipedrive instance of Cloud Elements",
		ArgsUsage: "FILE...",
		Description: `
Reads the JSON of an instance, as it was sent to make the instance or as Cloud Elements answered, and prints a pipeline
that polls or takes webhooks as the instance did and sends the same events to the same callback URL. - is standard input.

  {{.BinaryName}} import-instance instance.json > pipeline.yaml
  {{.BinaryName}} import-instance --out-dir crm instances/*.json

With --out-dir it writes a folder for the streams mode, in which many instances share one process, or adds to one:

  {{.BinaryName}} streams --no-api -o root.yaml -r resources.yaml streams

Secrets are never copied: the pipeline takes them from environment variables, which are listed on standard error.`[1:],
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out-dir", Usage: "write root.yaml, resources.yaml and streams/*.yaml into this folder instead of printing"},
		},
		Action: func(c *cli.Context) error {
			files, dir, err := importArguments(c.Args().Slice(), c.String("out-dir"))
			if err != nil {
				return err
			}
			sources, err := readInstances(files, c.App.Reader, c.App.ErrWriter)
			if err != nil {
				return err
			}
			if dir != "" {
				return writeStreams(dir, sources, c.App.ErrWriter)
			}
			return printPipeline(sources[0].Instance, c.App.Writer, c.App.ErrWriter)
		},
	}
}

// importArguments takes --out-dir behind the files as well, where the parser of flags does not look.
func importArguments(args []string, outDir string) (files []string, dir string, err error) {
	dir = outDir
	for i := 0; i < len(args); i++ {
		flag, said, joined := strings.Cut(args[i], "=")
		switch {
		case flag == "--out-dir":
			if !joined && i+1 < len(args) {
				i++
				said = args[i]
			}
			if dir = said; dir == "" {
				return nil, "", errors.New("--out-dir: names no folder")
			}
		case strings.HasPrefix(args[i], "-") && args[i] != "-":
			return nil, "", fmt.Errorf("import-instance does not know %s; it takes FILEs and --out-dir", flag)
		default:
			files = append(files, args[i])
		}
	}
	switch {
	case len(files) == 0:
		return nil, "", errors.New("import-instance takes a FILE: the JSON of an instance of Cloud Elements")
	case len(files) > 1 && dir == "":
		return nil, "", fmt.Errorf("import-instance prints one pipeline, not %d; with --out-dir each FILE becomes a stream", len(files))
	}
	return files, dir, nil
}

// readInstances reads all files before it complains about any.
func readInstances(files []string, stdin io.Reader, notes io.Writer) (sources []instance.Source, err error) {
	var refused []string
	for _, file := range files {
		read, warnings, err := readInstance(file, stdin)
		for _, w := range warnings {
			fmt.Fprintf(notes, "%s: warning: %s\n", file, w)
		}
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				refused = append(refused, file+": "+line)
			}
		}
		sources = append(sources, instance.Source{File: file, Instance: read})
	}
	if refused != nil {
		return nil, fmt.Errorf("nothing is written:\n%s", strings.Join(refused, "\n"))
	}
	return sources, nil
}

func readInstance(file string, stdin io.Reader) (*instance.Instance, []instance.Problem, error) {
	in := stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, nil, withoutPath(err)
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, instance.MaxBytes+1))
	if err != nil {
		return nil, nil, withoutPath(err)
	}
	return instance.Read(data)
}

// withoutPath is for an error that is told behind the path.
func withoutPath(err error) error {
	if wrong := (*fs.PathError)(nil); errors.As(err, &wrong) {
		return wrong.Err
	}
	return err
}

func printPipeline(i *instance.Instance, out, notes io.Writer) error {
	pipeline, variables := i.Pipeline()
	if _, err := out.Write(pipeline); err != nil {
		return err
	}
	tellVariables(notes, variables)
	return nil
}

func writeStreams(dir string, sources []instance.Source, notes io.Writer) error {
	outcomes, variables, err := instance.WriteFolder(dir, sources)
	if err != nil {
		return fmt.Errorf("nothing is written:\n%w", err)
	}
	for _, o := range outcomes {
		fmt.Fprintf(notes, "%s: %s\n", o.Path, o.Did)
	}
	tellVariables(notes, variables)
	return nil
}

func tellVariables(notes io.Writer, variables []instance.Variable) {
	fmt.Fprintln(notes, "set these environment variables before you start it:")
	for _, v := range variables {
		fmt.Fprintf(notes, "  %s: %s\n", v.Name, v.Means)
	}
}
