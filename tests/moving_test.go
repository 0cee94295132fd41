package tests

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// typed are the commands that a page tells to type, by the heading under which they stand.
func typed(t *testing.T, page string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	commands, heading := map[string][]string{}, ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if title, is := strings.CutPrefix(line, "## "); is {
			heading = title
		} else if command, is := strings.CutPrefix(line, "$ "); is {
			command, _, _ = strings.Cut(command, "   #")
			commands[heading] = append(commands[heading], command)
		}
	}
	return commands
}

// shell is somebody who types what a page says, in a checkout in which the binary is built.
type shell struct {
	t      *testing.T
	folder string
	values map[string]string // what stands for … in an export
	env    []string
}

func newShell(t *testing.T, values map[string]string, env ...string) *shell {
	t.Helper()
	binary, err := buildOnce()
	require.NoError(t, err)
	config, err := filepath.Abs("../config")
	require.NoError(t, err)
	s := &shell{t: t, folder: t.TempDir(), values: values, env: env}
	require.NoError(t, os.Mkdir(filepath.Join(s.folder, "bin"), 0o700))
	require.NoError(t, os.Symlink(binary, filepath.Join(s.folder, "bin", "benthos-pipedrive")))
	require.NoError(t, os.Symlink(config, filepath.Join(s.folder, "config")))
	return s
}

// types runs a command that ends.
func (s *shell) types(command string) {
	s.t.Helper()
	words := strings.Fields(command)
	switch {
	case words[0] == "make":
		return
	case words[0] == "cd":
		s.folder = filepath.Join(s.folder, words[1])
		return
	case words[0] == "export":
		name, said, _ := strings.Cut(words[1], "=")
		require.Equal(s.t, "…", said)
		require.Contains(s.t, s.values, name)
		s.env = append(s.env, name+"="+s.values[name])
		return
	}
	c := exec.CommandContext(s.t.Context(), "sh", "-c", command)
	c.Dir, c.Env = s.folder, append(os.Environ(), s.env...)
	out, err := c.CombinedOutput()
	require.NoError(s.t, err, "%s\n%s", command, out)
}

// starts runs a command that goes on until it is told to end.
func (s *shell) starts(command string) *process {
	s.t.Helper()
	words := strings.Fields(command)
	env := s.env
	for strings.Contains(words[0], "=") {
		env, words = append(env, words[0]), words[1:]
	}
	require.FileExists(s.t, filepath.Join(s.folder, words[0]))
	return start(s.t, s.folder, env, words[1:]...)
}

func (s *shell) file(name, content string) {
	s.t.Helper()
	path := filepath.Join(s.folder, name)
	require.NoError(s.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(s.t, os.WriteFile(path, []byte(content), 0o600))
}

// dotenv is a file of variables as the page tells to write it.
func dotenv(variables []string) string {
	var file strings.Builder
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		fmt.Fprintf(&file, "%s=%q\n", name, value)
	}
	return file.String()
}

// The page about moving, command by command as it stands there, against a simulated account.
func TestMovingFromCloudElementsIsAsThePageSays(t *testing.T) {
	commands := typed(t, "../docs/moving-from-cloud-elements.md")
	polled, pushed := tenants(t, 2)
	app, pushedApp := polled[0].app, pushed[0].app
	door := unrest.FreeAddress(t)
	s := newShell(t, map[string]string{"PIPEDRIVE_API_TOKEN": polled[0].token, "SIGNING_KEY": app.key},
		"PIPEDRIVE_BASE_URL="+polled[0].company.URL(), "HTTP_ADDRESS=127.0.0.1:0", "HOOK_ADDRESS="+door)
	checkout := s.folder
	s.file("instance.json", polled[0].instance("polling"))
	s.file("instances/"+polled[0].id+".json", polled[0].instance("polling"))
	s.file("instances/"+pushed[0].id+".json", pushed[0].instance("webhook"))

	hourAgo := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	startFrom := regexp.MustCompile(`START_FROM=\S+`)
	running := 0
	for _, command := range commands["Five minutes"] {
		if !strings.Contains(command, " run ") {
			s.types(command)
			continue
		}
		running++
		polled[0].change(0, "meanwhile")
		app.refuse(http.StatusUnprocessableEntity)
		p := s.starts(startFrom.ReplaceAllString(command, "START_FROM="+hourAgo))
		eventually(t, "the app refuses the change", func() bool { return app.refusals() > 0 })
		app.comeBack()
		polled[0].change(1, "afterwards")
		eventually(t, "the next change comes", func() bool { return len(app.events()) > 0 })
		p.stop()
	}
	assert.Equal(t, 1, running)
	assert.Equal(t, []string{"afterwards"}, polled[0].titles(), "and nothing that is older")

	for _, command := range commands["What is different"] {
		s.types(strings.ReplaceAll(command, "20931", polled[0].id))
	}
	assert.Equal(t, []string{"afterwards", "meanwhile"}, polled[0].titles(), "the dead letter is sent again")

	s.folder = checkout
	s.env = append(s.env, "START_FROM="+hourAgo)
	for _, command := range commands["Many instances"] {
		if !strings.Contains(command, " streams -") {
			s.types(command)
			if strings.HasPrefix(command, "cd ") {
				s.file("secrets.env", dotenv(polled[0].variables())+dotenv(pushed[0].variables()))
			}
			continue
		}
		running++
		s.starts(command)
		polled[0].change(2, "once more")
		eventually(t, "the polled change comes", func() bool { return slices.Contains(polled[0].titles(), "once more") })
		eventually(t, "it takes webhooks", func() bool {
			return pushed[0].knock(t, door, pushed[0].password()) == http.StatusUnsupportedMediaType
		})
		pushed[0].subscribe(door)
		pushed[0].change(0, "pushed")
		eventually(t, "the pushed change comes", func() bool { return len(pushedApp.events()) == 1 })
	}
	assert.Equal(t, 2, running)
	assert.Equal(t, []string{"pushed"}, pushed[0].titles())
}
