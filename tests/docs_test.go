package tests

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	"github.com/redpanda-data/benthos/v4/public/service"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	_ "github.com/benthos-pipedrive/benthos-pipedrive/input"
	_ "github.com/benthos-pipedrive/benthos-pipedrive/output"
	_ "github.com/benthos-pipedrive/benthos-pipedrive/processor"
)

var update = flag.Bool("update", false, "write the component pages anew")

const pagesFolder = "../docs/components"

// summaries begins each of our components' summary. The host lets a later component take the name of an earlier one
// without a word: what is registered under our names must still be ours.
var summaries = map[string]string{
	"input_pipedrive_poll":          "Reads every change of Pipedrive",
	"input_pipedrive_webhook":       "Receives Pipedrive's webhooks",
	"processor_pipedrive_normalize": "Makes one event of what",
	"output_pipedrive_callback":     "Posts each event to an application",
	"cache_bolt":                    "Keeps keys and values in one local file",
}

// components returns what is registered under a name of ours, by the name of its page.
func components(t *testing.T) map[string]service.TemplateDataPlugin {
	t.Helper()
	ours := map[string]service.TemplateDataPlugin{}
	visit := func(name string, view *service.ConfigView) {
		if name != "bolt" && !strings.HasPrefix(name, "pipedrive_") {
			return
		}
		data, err := view.TemplateData()
		require.NoError(t, err)
		ours[data.Type+"_"+name] = data
	}
	env := service.GlobalEnvironment()
	env.WalkInputs(visit)
	env.WalkProcessors(visit)
	env.WalkOutputs(visit)
	env.WalkCaches(visit)
	return ours
}

func TestDocsComponentsAreOurs(t *testing.T) {
	registered := components(t)
	for name, summary := range summaries {
		assert.True(t, strings.HasPrefix(registered[name].Summary, summary), "%s: summary is %q", name, registered[name].Summary)
	}
	for name := range registered {
		assert.Contains(t, summaries, name, "a new component needs a row in the table of this test")
	}
}

func TestDocsPagesAreFresh(t *testing.T) {
	pages := template.Must(template.New("page").Funcs(template.FuncMap{"trim": strings.TrimSpace, "config": config}).Parse(pageTemplate))
	want := map[string][]byte{}
	for name, data := range components(t) {
		var page bytes.Buffer
		require.NoError(t, pages.Execute(&page, data))
		want[name+".md"] = page.Bytes()
	}
	found, err := filepath.Glob(filepath.Join(pagesFolder, "*"))
	require.NoError(t, err)
	if *update {
		for _, name := range found {
			require.NoError(t, os.Remove(name))
		}
		require.NoError(t, os.MkdirAll(pagesFolder, 0o755))
		for name, page := range want {
			require.NoError(t, os.WriteFile(filepath.Join(pagesFolder, name), page, 0o644))
		}
		return
	}
	for _, name := range found {
		assert.Contains(t, want, filepath.Base(name), "%s is the page of no component: run make docs", name)
	}
	for name, page := range want {
		got, err := os.ReadFile(filepath.Join(pagesFolder, name))
		require.NoError(t, err, "run make docs")
		assert.Equal(t, string(page), string(got), "%s is stale: run make docs", name)
	}
}

func TestDocsEveryFieldIsDescribed(t *testing.T) {
	for name, data := range components(t) {
		assert.NotEmpty(t, data.Summary, name)
		assert.NotEmpty(t, data.Description, name)
		assert.NotEmpty(t, data.Examples, name)
		assert.NotEmpty(t, data.Version, name)
		for _, f := range data.Fields {
			// The host puts these words where a field has none.
			assert.NotContains(t, f.Description, "missing documentation", "%s: %s", name, f.FullName)
			assert.NotContains(t, f.Description, "xref:", "%s: %s links with AsciiDoc", name, f.FullName)
		}
	}
}

func TestDocsEverySecretIsScrubbed(t *testing.T) {
	secret := regexp.MustCompile(`token|secret|password|passphrase|refresh|(^|_)keys?$`)
	harmless := []string{"refresh_interval", "token_url", "token_cache", "token_cache_key", "checkpoint_cache_key"}
	for name, data := range components(t) {
		for _, f := range data.Fields {
			last := strings.TrimSuffix(f.FullName[strings.LastIndex(f.FullName, ".")+1:], "[]")
			if f.Type != "string" && f.Type != "array" || slices.Contains(harmless, last) || !secret.MatchString(last) {
				continue
			}
			assert.True(t, f.IsSecret, "%s: %s looks like a secret and is printed", name, f.FullName)
		}
	}
}

func TestDocsExamplesLint(t *testing.T) {
	env := service.GlobalEnvironment()
	whole := env.FullConfigSchema("", "").NewStreamConfigLinter().SetSkipEnvVarCheck(true).SetRejectDeprecated(true)
	part := env.NewComponentConfigLinter().SetSkipEnvVarCheck(true).SetRejectDeprecated(true)
	for name, data := range components(t) {
		for _, example := range data.Examples {
			lints, err := whole.LintYAML([]byte(example.Config))
			require.NoError(t, err)
			assert.Empty(t, lints, "%s: example %q", name, example.Title)
		}
		// The page's configuration has every default, so each rule is asked once.
		lint := whole.LintYAML
		if !strings.HasPrefix(data.AdvancedConfigYAML, data.Type+":") {
			lint = func(config []byte) ([]service.Lint, error) { return part.LintYAML(data.Type, config) }
		}
		lints, err := lint([]byte(data.AdvancedConfigYAML))
		require.NoError(t, err)
		assert.Empty(t, lints, "%s: all fields as documented", name)
		for _, f := range data.Fields {
			for _, example := range f.Examples {
				config, err := json.Marshal(nested(data.Name+"."+f.FullName, example)) // JSON is YAML
				require.NoError(t, err)
				lints, err := part.LintYAML(data.Type, config)
				require.NoError(t, err)
				// One field alone is not a whole configuration.
				lints = slices.DeleteFunc(lints, func(l service.Lint) bool { return l.Type == service.LintMissing })
				assert.Empty(t, lints, "%s: example %v of %s", name, example, f.FullName)
			}
		}
	}
}

// nested wraps a value in the objects and lists of its path: a.b[].c.
func nested(path string, value any) any {
	steps := strings.Split(path, ".")
	for _, step := range slices.Backward(steps) {
		name, isList := strings.CutSuffix(step, "[]")
		if isList {
			value = []any{value}
		}
		value = map[string]any{name: value}
	}
	return value
}

// config is a configuration to copy: of a secret without a default the host scrubs even that there is none.
func config(yaml string) string {
	return strings.ReplaceAll(strings.TrimSpace(yaml), "'!!!SECRET_SCRUBBED!!!'", `""`)
}

const pageTemplate = "" +
	`<!-- Generated from the component's own specification by "make docs". Edits are lost. -->

# {{.Name}} ({{.Type}})

{{.Summary}}

Status: {{.Status}}, since version {{.Version}}.
{{with trim .Description}}
{{.}}
{{end}}
## Configuration

` + "```yaml\n{{config .CommonConfigYAML}}\n```" + `
{{if ne .CommonConfigYAML .AdvancedConfigYAML}}
<details>
<summary>All fields</summary>

` + "```yaml\n{{config .AdvancedConfigYAML}}\n```" + `

</details>
{{end}}{{if .Examples}}
## Examples
{{range .Examples}}
### {{.Title}}
{{with .Summary}}
{{.}}
{{end}}
` + "```yaml\n{{trim .Config}}\n```" + `
{{end}}{{end}}
## Fields
{{range .Fields}}
### ` + "`{{.FullName}}`" + `

{{.Description}}

Type: {{.Type}}{{if .IsInterpolated}}, interpolated for each message{{end}}.
{{- with .DefaultMarshalled}} Default: ` + "`{{.}}`" + `.{{end}}
{{- if .IsSecret}} **Secret**: scrubbed from printed configurations; better given as an environment variable than written down.{{end}}
{{with .Options}}
Options:{{range $i, $o := .}}{{if $i}},{{end}} ` + "`{{$o}}`" + `{{end}}.
{{end}}{{with .AnnotatedOptions}}
| option | meaning |
| --- | --- |
{{range .}}| ` + "`{{index . 0}}`" + ` | {{index . 1}} |
{{end}}{{end}}{{with .ExamplesMarshalled}}
` + "```yaml\n{{range .}}{{.}}{{end}}```" + `
{{end}}{{end}}{{with trim .Footnotes}}
{{.}}
{{end}}`

// docsSection is what stands in a page of docs below a heading of the second level.
func docsSection(t *testing.T, page, heading string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../docs", page))
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "\n## "+heading+"\n")
	require.True(t, found)
	section, _, _ = strings.Cut(section, "\n## ")
	return section
}
