package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const noticesFile = "../../THIRD_PARTY_NOTICES.txt"

// notice is what has to be said of one module in the binary.
type notice struct {
	module, version string
	texts           []licenceText
}

// licenceText is a file that grants or limits something.
type licenceText struct {
	file, text string
	kinds      []string // of licences; none: a notice
}

// kinds of licences, by words that only they have. A module whose licence is none of them has to be looked at by a
// person before it may be linked.
var kinds = []struct{ kind, words string }{
	{"Redpanda Community License", `Redpanda Community License Agreement`},
	{"EPL-2.0", `Eclipse Public License - v 2\.0`},
	{"MPL-2.0", `Mozilla Public License,? [Vv]ersion 2\.0`},
	{"Apache-2.0", `Apache License,?\s+Version 2\.0`},
	{"MIT", `Permission is hereby granted, free of charge, to any person`},
	{"ISC", `Permission to use, copy, modify, and(/or)? distribute this software`},
	{"BSD-3-Clause", `(?s)Redistribution and use in source and binary forms.*(Neither the name|names of its contributors)`},
	{"BSD-2-Clause", `Redistribution and use in source and binary forms`},
}

func kindsOf(text string) (found []string) {
	for _, k := range kinds {
		switch {
		case !regexp.MustCompile(k.words).MatchString(text):
		case k.kind == "BSD-2-Clause" && slices.Contains(found, "BSD-3-Clause"): // which says all that the other says
		default:
			found = append(found, k.kind)
		}
	}
	return found
}

// granting are the files that hold licences and notices.
var granting = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)[^/]*$`)

// aside are the licences of modules that keep them elsewhere than beside their code.
var aside = map[string][]string{
	"github.com/redpanda-data/connect/v4": {"licenses/Apache-2.0.txt", "licenses/rcl.md"},
}

// notices are those of all modules that the binary holds, as it is built for Linux with everything, and of Go.
func notices(t *testing.T) []notice {
	t.Helper()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f",
		`{{$d := .Dir}}{{with .Module}}{{.Path}}|{{.Version}}|{{.Dir}}|{{$d}}{{end}}`, ".")
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOFLAGS=")
	out, err := list.Output()
	require.NoError(t, err)

	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	require.NoError(t, err)
	all := []notice{{module: "Go", version: "(its standard library and runtime)", texts: textsIn(t, strings.TrimSpace(string(goroot)), ".")}}
	folders := map[string][]string{} // of each module, those of its linked packages
	var modules []string
	for line := range strings.Lines(string(out)) {
		parts := strings.Split(strings.TrimSpace(line), "|")
		if len(parts) != 4 || strings.HasPrefix(parts[0], "github.com/benthos-pipedrive/") {
			continue
		}
		module := strings.Join(parts[:3], "|")
		if folders[module] == nil {
			modules = append(modules, module)
		}
		folder, err := filepath.Rel(parts[2], parts[3])
		require.NoError(t, err)
		folders[module] = append(folders[module], folder)
	}
	slices.Sort(modules)
	require.Greater(t, len(modules), 50)
	for _, module := range modules {
		parts := strings.Split(module, "|")
		all = append(all, notice{module: parts[0], version: parts[1], texts: textsOf(t, parts[0], parts[2], folders[module])})
	}
	return all
}

// textsOf looks in the module's folder and in those between it and its linked packages.
func textsOf(t *testing.T, module, root string, packages []string) (texts []licenceText) {
	t.Helper()
	folders := map[string]bool{".": true}
	for _, folder := range packages {
		for ; folder != "."; folder = filepath.Dir(folder) {
			folders[folder] = true
		}
	}
	for _, folder := range sortedKeys(folders) {
		texts = append(texts, textsIn(t, root, folder)...)
	}
	for _, file := range aside[module] {
		texts = append(texts, textOf(t, root, file))
	}
	return texts
}

func sortedKeys(set map[string]bool) (keys []string) {
	for key := range set {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func textsIn(t *testing.T, root, folder string) (texts []licenceText) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, folder))
	require.NoError(t, err)
	for _, entry := range entries {
		if entry.Type()&fs.ModeType == 0 && granting.MatchString(entry.Name()) && filepath.Ext(entry.Name()) != ".go" {
			texts = append(texts, textOf(t, root, filepath.Join(folder, entry.Name())))
		}
	}
	return texts
}

func textOf(t *testing.T, root, file string) licenceText {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	var lines []string
	for line := range strings.Lines(strings.ToValidUTF8(string(content), "?")) {
		lines = append(lines, strings.TrimRight(line, " \t\r\n\f"))
	}
	text := strings.Trim(strings.Join(lines, "\n"), "\n")
	return licenceText{file: filepath.ToSlash(file), text: text, kinds: kindsOf(text)}
}

// written are the notices as a file: what is there, and then each text once with those that it is of.
func written(all []notice) []byte {
	var b bytes.Buffer
	b.WriteString(`THIRD-PARTY NOTICES OF benthos-pipedrive

benthos-pipedrive itself is under the MIT licence, see LICENSE. Its binary holds the modules below, unchanged, each under the
licence that is named beside it and whose text follows. Their source is that of the Go module of this name and version.

Of github.com/redpanda-data/connect/v4 the binary holds files under the Apache License 2.0, and one, a helper of the Kafka
client, under the Redpanda Community License; a binary that was built without Kafka (TAGS=no_kafka) does not hold it.

This file is written by "make docs".

`)
	var texts []string
	of := map[string][]string{}
	for _, n := range all {
		var named []string
		for _, l := range n.texts {
			for _, kind := range l.kinds {
				if !slices.Contains(named, kind) {
					named = append(named, kind)
				}
			}
			if of[l.text] == nil {
				texts = append(texts, l.text)
			}
			of[l.text] = append(of[l.text], n.module+", "+l.file)
		}
		fmt.Fprintf(&b, "%s %s: %s\n", n.module, n.version, strings.Join(named, ", "))
	}
	for _, text := range texts {
		fmt.Fprintf(&b, "\n%s\n", strings.Repeat("-", 120))
		for _, file := range of[text] {
			fmt.Fprintln(&b, file)
		}
		fmt.Fprintf(&b, "\n%s\n", text)
	}
	return b.Bytes()
}

func TestNoticesAreFresh(t *testing.T) {
	t.Parallel()
	want := written(notices(t))
	if *update {
		require.NoError(t, os.WriteFile(noticesFile, want, 0o644))
		return
	}
	got, err := os.ReadFile(noticesFile)
	require.NoError(t, err, "run make docs")
	assert.True(t, bytes.Equal(want, got), "%s is stale: run make docs", filepath.Base(noticesFile))
}

func TestEveryLinkedModuleHasALicenceThatIsKnown(t *testing.T) {
	t.Parallel()
	for _, n := range notices(t) {
		known := slices.ContainsFunc(n.texts, func(l licenceText) bool { return len(l.kinds) > 0 })
		assert.True(t, known, "%s %s has no licence that this test knows", n.module, n.version)
	}
}
