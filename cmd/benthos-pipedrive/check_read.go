package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/redpanda-data/benthos/v4/public/service"

	"github.com/benthos-pipedrive/benthos-pipedrive/input"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/checkup"
	"github.com/benthos-pipedrive/benthos-pipedrive/output"
	"github.com/benthos-pipedrive/benthos-pipedrive/processor"
)

// configuration is what a check reads of the files of one process.
type configuration struct {
	components []component // ours
	caches     []cacheResource
	http       httpServer
	veil       veil
}

// component is one of ours, as it stands in a file.
type component struct {
	checkup.Where
	name string // pipedrive_poll, ...
	yaml string // its fields, environment variables filled in
}

type cacheResource struct{ label, yaml string }

// httpServer is the host's own, where its metrics are.
type httpServer struct {
	enabled bool
	address string // where it can be reached from this machine
	tls     bool
}

// sections are the fields of a configuration in which components of ours and caches can stand.
var sections = []string{
	"input", "pipeline", "output", "input_resources", "processor_resources", "output_resources", "cache_resources",
}

// readConfiguration reads, lints and walks files as the host would: of run, one file; of streams, a root and others.
func readConfiguration(streams []string, root string, resources []string) (*configuration, error) {
	c := &configuration{}
	streams, err := files(streams)
	if err != nil {
		return nil, err
	}
	if len(streams) == 0 {
		return nil, errors.New("name the FILE of a pipeline; flags come before it")
	}
	for _, path := range streams {
		if strings.HasPrefix(path, "-") {
			return nil, fmt.Errorf("%s stands behind a file: flags come before the files", path)
		}
	}
	if resources, err = files(resources); err != nil {
		return nil, err
	}
	schema := service.GlobalEnvironment().FullConfigSchema(version, dateBuilt)
	inStreams := root != "" || len(streams) > 1
	for _, path := range streams {
		prefix := checkup.Where{}
		if inStreams {
			prefix.Stream = strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		}
		if err := c.readFile(schema, path, prefix, !inStreams); err != nil {
			return nil, err
		}
	}
	if root != "" {
		resources = append(resources, root)
	}
	for _, path := range resources {
		if err := c.readFile(schema, path, checkup.Where{}, path == root); err != nil {
			return nil, err
		}
	}
	if inStreams && root == "" {
		c.http = httpServer{enabled: true, address: "127.0.0.1:4195"} // the host's defaults
	}
	return c, nil
}

// files resolves patterns, as the host does for -r. A name that matches nothing is a file that is missing.
func files(patterns []string) (paths []string, err error) {
	for _, pattern := range patterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", pattern, err)
		}
		if len(found) == 0 {
			found = []string{pattern}
		}
		paths = append(paths, found...)
	}
	return paths, nil
}

func (c *configuration) readFile(schema *service.ConfigSchema, path string, at checkup.Where, server bool) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	lints, err := schema.NewStreamConfigLinter().LintYAML(text)
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if len(lints) > 0 {
		return lintError(path, lints)
	}
	query, err := schema.NewConfigQuerier().ParseYAML(string(text))
	if err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if server {
		if c.http, err = readServer(query); err != nil {
			return fmt.Errorf("reading %s: http: %w", path, err)
		}
	}
	for _, section := range sections {
		field, err := query.FieldAtPath(section)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
		value, err := field.FieldAny()
		if err != nil {
			return fmt.Errorf("reading %s: %s: %w", path, section, err)
		}
		err = schema.NewStreamConfigWalker().WalkComponentsAny(map[string]any{section: value}, func(w *service.WalkedComponent) error {
			return c.take(w, at)
		})
		if err != nil {
			return fmt.Errorf("reading %s: %w", path, err)
		}
	}
	return nil
}

func lintError(path string, lints []service.Lint) error {
	var lines []string
	for _, l := range lints {
		lines = append(lines, fmt.Sprintf("%s(%d,%d) %s", path, l.Line, max(l.Column, 1), l.What))
	}
	return errors.New("the configuration does not lint, so it would not run:\n" + strings.Join(lines, "\n"))
}

// take keeps what is worth a look.
func (c *configuration) take(w *service.WalkedComponent, at checkup.Where) error {
	isCache := w.ComponentType == "cache" && strings.HasPrefix(w.Path, "cache_resources.")
	if !isCache && inspectors[w.Name] == nil {
		return nil
	}
	value, err := w.ConfigAny()
	if err != nil {
		return err
	}
	c.veil.learn(value, "")
	if isCache {
		text, err := json.Marshal(value) // JSON is YAML
		c.caches = append(c.caches, cacheResource{w.Label, string(text)})
		return err
	}
	fields, _ := value.(map[string]any)
	text, err := json.Marshal(fields[w.Name])
	at.Label, at.Path = w.Label, "root."+w.Path
	at.Name = at.Path
	if at.Label != "" {
		at.Name = at.Label
	}
	if at.Stream != "" {
		at.Name = at.Stream + " " + at.Name
	}
	c.components = append(c.components, component{at, w.Name, string(text)})
	return err
}

func readServer(query *service.ConfigQueryFile) (s httpServer, err error) {
	conf, err := query.FieldAtPath("http")
	if err != nil {
		return s, err
	}
	if s.enabled, err = conf.FieldBool("enabled"); err != nil {
		return s, err
	}
	if s.address, err = conf.FieldString("address"); err != nil {
		return s, err
	}
	cert, err := conf.FieldString("cert_file")
	s.tls = cert != ""
	s.address = reachable(s.address)
	return s, err
}

// reachable turns an address to listen on into one to ask: all addresses of this machine become its loopback.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	switch ip := net.ParseIP(host); {
	case host == "" || ip != nil && ip.IsUnspecified() && ip.To4() != nil:
		host = "127.0.0.1"
	case ip != nil && ip.IsUnspecified():
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}

// inspection is a configuration with what it needs to be checked.
type inspection struct {
	config  checkup.Config
	closers []func()
}

func (i *inspection) close() {
	for _, end := range slices.Backward(i.closers) {
		end()
	}
}

// inspector reads the configuration of a component and keeps what it finds.
type inspector func(*inspection, component, *service.Resources) error

func inspecting[T any](read func(checkup.Where, string, *service.Resources) (T, error), keep func(*inspection, T)) inspector {
	return func(i *inspection, c component, res *service.Resources) error {
		found, err := read(c.Where, c.yaml, res)
		if err == nil {
			keep(i, found)
		}
		return err
	}
}

// inspectors are those of each component of ours.
var inspectors = map[string]inspector{
	"pipedrive_poll": inspecting(input.InspectPoll, func(i *inspection, p checkup.Poll) {
		i.closers = append(i.closers, p.Client.Close)
		i.config.Polls = append(i.config.Polls, p)
	}),
	"pipedrive_webhook": inspecting(input.InspectWebhook, func(i *inspection, d checkup.Door) {
		if d.Registration != nil {
			i.closers = append(i.closers, d.Registration.Client.Close)
		}
		i.config.Doors = append(i.config.Doors, d)
	}),
	"pipedrive_normalize": inspecting(processor.InspectNormalize, func(i *inspection, r *checkup.Reader) {
		if r != nil {
			i.closers = append(i.closers, r.Client.Close)
			i.config.Resolvers = append(i.config.Resolvers, *r)
		}
	}),
	"pipedrive_callback": inspecting(output.InspectCallback, func(i *inspection, c checkup.Callback) {
		i.closers = append(i.closers, c.Client.Close)
		i.config.Callbacks = append(i.config.Callbacks, c)
	}),
}

// inspect makes the caches and the clients, and nothing else of the configuration. Warnings go to log.
func (c *configuration) inspect(log io.Writer) (_ *inspection, err error) {
	i := &inspection{}
	defer func() {
		if err != nil {
			i.close()
		}
	}()
	res, broken, end, err := c.makeCaches(log)
	if err != nil {
		return nil, err
	}
	i.closers = append(i.closers, end)
	for _, component := range c.components {
		if err := inspectors[component.name](i, component, res); err != nil {
			return nil, fmt.Errorf("%s: %s: %w", component.Name, component.name, err)
		}
	}
	if len(i.config.Polls)+len(i.config.Doors)+len(i.config.Resolvers)+len(i.config.Callbacks) == 0 {
		return nil, errors.New("there is nothing to check: no input of ours, nor a processor that asks Pipedrive, nor a pipedrive_callback")
	}
	i.config.Probe = func(ctx context.Context, cache string) error {
		if err := broken[cache]; err != nil {
			return err
		}
		return input.ProbeCache(ctx, cache, res)
	}
	return i, nil
}

// makeCaches makes all cache resources, as one may be made of others; and when that fails those that can be made by
// themselves, with the reasons of the others.
func (c *configuration) makeCaches(log io.Writer) (res *service.Resources, broken map[string]error, end func(), err error) {
	res, end, err = build(c.caches, log)
	if err == nil {
		return res, nil, end, nil
	}
	broken = map[string]error{}
	var sound []cacheResource
	for _, cache := range c.caches {
		_, end, err := build([]cacheResource{cache}, log)
		if err != nil {
			broken[cache.label] = err
			continue
		}
		end()
		sound = append(sound, cache)
	}
	res, end, err = build(sound, log)
	return res, broken, end, err
}

const endLimit = 5 * time.Second

func build(caches []cacheResource, log io.Writer) (*service.Resources, func(), error) {
	b := service.NewResourceBuilder()
	b.DisableLinting() // done, as far as it was written by a person
	// The variables are filled in: what looks like one now is a value.
	b.SetEnvVarLookupFunc(func(_ context.Context, name string) (string, bool) { return "${" + name + "}", true })
	b.SetEngineVersion(version)
	b.SetLogger(slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn})))
	for _, cache := range caches {
		if err := b.AddCacheYAML(cache.yaml); err != nil {
			return nil, nil, fmt.Errorf("cache %s: %w", cache.label, err)
		}
	}
	res, closeAll, err := b.Build()
	if err != nil {
		return nil, nil, err
	}
	return res, func() {
		ctx, cancel := context.WithTimeout(context.Background(), endLimit)
		defer cancel()
		_ = closeAll(ctx) // the process ends
	}, nil
}
