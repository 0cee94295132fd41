//go:build integration

package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// buildah keeps everything in one folder: no daemon, no registry, nothing left behind.
type buildah struct {
	t      *testing.T
	folder string
}

func (b buildah) run(args ...string) string {
	b.t.Helper()
	program := installed(b.t, "/usr/bin/buildah")
	c := exec.Command(program, append([]string{
		"--root", filepath.Join(b.folder, "root"), "--runroot", filepath.Join(b.folder, "run"), "--storage-driver", "vfs",
	}, args...)...)
	c.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot", "TMPDIR="+b.folder)
	out, err := c.Output()
	var stderr []byte
	if failed, is := err.(*exec.ExitError); is {
		stderr = failed.Stderr
	}
	require.NoError(b.t, err, "buildah %v\n%s%s", args, out, stderr)
	return strings.TrimSpace(string(out))
}

// The image has the program and certificate authorities, and the program runs in it as nobody in particular.
func TestTheImageHoldsTheProgramAndRunsIt(t *testing.T) {
	require.Zero(t, os.Geteuid(), "mounting an image takes root")
	b := buildah{t, t.TempDir()}
	b.run("build", "--file", "../../deploy/Dockerfile", "--tag", "benthos-pipedrive", "../../bin/image")

	var image struct {
		OCIv1 struct {
			Config struct {
				User       string
				Entrypoint []string
				Cmd        []string
			} `json:"config"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(b.run("inspect", "--type", "image", "benthos-pipedrive")), &image))
	assert.Equal(t, "65532:65532", image.OCIv1.Config.User)
	assert.Equal(t, []string{"/benthos-pipedrive"}, image.OCIv1.Config.Entrypoint)
	assert.Equal(t, []string{"run", "/etc/benthos-pipedrive/pipeline.yaml"}, image.OCIv1.Config.Cmd)

	container := b.run("from", "benthos-pipedrive")
	root := b.run("mount", container)
	t.Cleanup(func() { b.run("rm", container) })
	var files []string
	require.NoError(t, filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, strings.TrimPrefix(path, root))
		}
		return err
	}))
	assert.ElementsMatch(t, []string{
		"/benthos-pipedrive", "/LICENSE", "/THIRD_PARTY_NOTICES.txt", "/etc/ssl/certs/ca-certificates.crt",
	}, files, "nothing else is in it")

	inside := func(stdin string, args ...string) string {
		t.Helper()
		c := exec.Command(args[0], args[1:]...)
		c.Path = args[0] // of the image
		c.Err = nil
		c.Dir = "/"
		c.Env = []string{}
		c.Stdin = strings.NewReader(stdin)
		c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%v\n%s", args, out)
		return strings.TrimSpace(string(out))
	}
	outside, err := exec.Command("../../bin/benthos-pipedrive", "--version").Output()
	require.NoError(t, err)
	assert.Equal(t, strings.TrimSpace(string(outside)), inside("", "/benthos-pipedrive", "--version"))
	assert.Equal(t, `"2026-07-01T14:00:00+02:00"`, inside(`"2026-07-01T12:00:00Z"`, "/benthos-pipedrive", "blobl", `root = this.ts_tz("Europe/Berlin")`),
		"it knows time zones without any files")

	for name, pipeline := range pipelines(t) {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(pipeline), 0o644))
		inside("", "/benthos-pipedrive", "lint", "--skip-env-var-check", "/"+name)
	}
}
