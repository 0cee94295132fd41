package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"text/template"
	"time"
)

// report is what was measured. Rates are in records a second, memory is in bytes.
type report struct {
	ThrowAway, Decode, PlainYAML, Poll float64

	PeakSmall, PeakLarge, PeakMillion int64

	IdleTokens    float64 // a cycle
	BulkTokens    int64
	SettledTokens float64 // a cycle

	Slicing map[string]slicing

	Normalizing []normalizing

	Hooks16, Hooks64        hookFigures // by the number of connections
	BareBbolt, JournalAlone float64     // entries a second, by 64 writers
	PaceP99, PaceLateP99    time.Duration
	PeakAttacked            int64
	FileSystem              string // of the journal
}

// slicing is the cost of one record of a page.
type slicing struct{ NS, Bytes, Allocs float64 }

//go:embed report.md.tmpl
var reportTemplate string

// render writes one section of the report, or all of it.
func (r report) render(section string) (string, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"thousands": thousands,
		"mib":       func(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) },
		"ratio":     func(a, b float64) string { return fmt.Sprintf("%.2f", a/b) },
		"two":       func(a float64) string { return fmt.Sprintf("%.2f", a) },
		"one":       func(a float64) string { return fmt.Sprintf("%.1f", a) },
		"ratioInt":  func(a, b int64) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) },
		"machine":   machine,
		"micros":    func(ns float64) string { return fmt.Sprintf("%.1f", ns/1000) },
		"ms":        func(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) },
	}).Parse(reportTemplate)
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	err = t.ExecuteTemplate(&b, cmp.Or(section, "report"), r)
	return b.String(), err
}

// thousands writes a rate the way people read it.
func thousands(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func machine() string {
	cpu := "unknown CPU"
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				cpu = strings.Trim(name, " \t:\n")
				break
			}
		}
	}
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		commit = []byte("unknown")
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s, commit %s", cpu, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), strings.TrimSpace(string(commit)))
}
