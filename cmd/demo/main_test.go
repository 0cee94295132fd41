package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// roleVariable in the environment makes the test binary play the simulator and the pipeline; its value says how.
const roleVariable = "DEMO_TEST_ROLE"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role, os.Args[1])
	}
	os.Exit(m.Run())
}

// play is simulate or run in a process of its own, and does not return.
func play(role, command string) {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	if role == command+" fails" {
		os.Exit(3)
	}
	if command == "simulate" {
		fmt.Print("# Pipedrive\n# export PIPEDRIVE_BASE_URL=http://127.0.0.1:1 PIPEDRIVE_API_TOKEN=abc\ninput: {}\n")
	} else if role != "nothing arrives" {
		fmt.Println(os.Getpid(), os.Getenv("PIPEDRIVE_BASE_URL"), os.Getenv("PIPEDRIVE_API_TOKEN"))
	}
	<-asked
	os.Exit(0)
}

// perform is show with the test binary in that role. The demo's temporary folder must be gone afterwards.
func perform(t *testing.T, ctx context.Context, role string, length time.Duration) (string, error) {
	t.Helper()
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	t.Setenv(roleVariable, role)
	var out bytes.Buffer
	err := show(ctx, os.Args[0], "demo.yaml", length, &out)

	left, readErr := os.ReadDir(temporary)
	require.NoError(t, readErr)
	assert.Empty(t, left, "a folder was left behind")
	return out.String(), err
}

func TestPrintsWhatArrivesAndLeavesNoProcess(t *testing.T) {
	out, err := perform(t, t.Context(), "plays", 500*time.Millisecond)
	require.NoError(t, err)

	var pid int
	var url, token string
	_, err = fmt.Sscan(out, &pid, &url, &token)
	require.NoError(t, err, out)
	assert.Equal(t, "http://127.0.0.1:1", url)
	assert.Equal(t, "abc", token)
	assert.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "the pipeline still runs")
}

func TestSaysWhatWentWrong(t *testing.T) {
	for _, tc := range []struct {
		role        string
		length      time.Duration
		errContains string
	}{
		{role: "nothing arrives", length: 200 * time.Millisecond, errContains: "nothing arrived in 200ms"},
		{role: "simulate fails", length: time.Minute, errContains: "starting the simulator: exit status 3"},
		{role: "run fails", length: time.Minute, errContains: "the pipeline ended before its time: exit status 3"},
	} {
		t.Run(tc.role, func(t *testing.T) {
			_, err := perform(t, t.Context(), tc.role, tc.length)
			assert.ErrorContains(t, err, tc.errContains)
		})
	}
}

func TestEndsEarlyWhenAsked(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := perform(t, ctx, "plays", time.Hour)
	assert.NoError(t, err)
}
