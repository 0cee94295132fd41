package tests

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
	"github.com/benthos-pipedrive/benthos-pipedrive/tests/unrest"
)

// tenement is one process in which many instances live, and the tenants that are in trouble.
type tenement struct {
	t              *testing.T
	polled, pushed []tenant
	folder         string // of root.yaml
	door, health   string // addresses
	env            []string

	revoked    tenant // polled: its token is
	spent      tenant // polled: its company's budget is
	down       tenant // polled: its app is
	pushedDown tenant // pushed: its app is
}

// newTenement imports n instances as the page about moving says.
func newTenement(t *testing.T, n int) *tenement {
	t.Helper()
	folder := t.TempDir()
	h := &tenement{t: t, folder: filepath.Join(folder, "crm"), door: unrest.FreeAddress(t), health: unrest.FreeAddress(t)}
	h.polled, h.pushed = tenants(t, n)
	require.NoError(t, os.Mkdir(filepath.Join(folder, "instances"), 0o700))
	var files []string
	for kind, of := range map[string][]tenant{"polling": h.polled, "webhook": h.pushed} {
		for _, one := range of {
			file := filepath.Join(folder, "instances", one.id+".json")
			require.NoError(t, os.WriteFile(file, []byte(one.instance(kind)), 0o600))
			files = append(files, file)
		}
	}
	h.revoked, h.spent, h.down, h.pushedDown = h.polled[3], h.polled[7], h.polled[11], h.pushed[5]
	h.env = []string{"PIPEDRIVE_BASE_URL=" + h.revoked.company.URL(), "START_FROM=beginning", "HOOK_ADDRESS=" + h.door, "HTTP_ADDRESS=" + h.health}
	for _, of := range h.all() {
		h.env = append(h.env, of.variables()...)
	}
	p := start(t, folder, nil, append([]string{"import-instance", "--out-dir", "crm"}, files...)...)
	p.ended()
	return h
}

func (h *tenement) all() []tenant { return slices.Concat(h.polled, h.pushed) }

func (h *tenement) well(of tenant) bool {
	return of != h.revoked && of != h.spent && of != h.down && of != h.pushedDown
}

// start starts them all. Streams whose app is down take three quarters of the time for a stop.
func (h *tenement) start() *process {
	return start(h.t, h.folder, h.env, "streams", "--no-api", "--set", "shutdown_timeout=4s", "-o", "root.yaml", "-r", "resources.yaml", "streams")
}

// subscribe makes the webhooks of those who are pushed.
func (h *tenement) subscribe() {
	for _, of := range h.pushed {
		eventually(h.t, of.id+" takes webhooks", func() bool {
			return of.knock(h.t, h.door, of.password()) == http.StatusUnsupportedMediaType
		})
		of.subscribe(h.door)
	}
}

// requireAccepted holds that every webhook had its 200 at the first try.
func (h *tenement) requireAccepted() {
	ctx, cancel := context.WithTimeout(h.t.Context(), 20*time.Second)
	defer cancel()
	for _, of := range h.pushed {
		require.NoError(h.t, of.company.Drain(ctx))
		for _, d := range of.company.Deliveries() {
			require.Equal(h.t, simulator.Delivered, d.Outcome)
			require.Len(h.t, d.Tries, 1, "%s: accepted at the first try", of.id)
		}
	}
}

// Fifty instances move into one process, half of them polled and half pushed at one address: each has its own
// credentials, position and budget. A token that is revoked, a budget that is spent and an app that is down disturb
// nobody else, and a restart repeats nothing.
func TestFiftyInstancesInOneProcess(t *testing.T) {
	const most = 256 << 20
	h := newTenement(t, 50)
	h.spent.company.SetQuirks(func(q *simulator.Quirks) { q.NoRetryAfter = true })
	h.spent.company.Spend(plenty)
	h.down.app.goDown()
	h.pushedDown.app.goDown()
	began := time.Now()
	p := h.start()
	h.subscribe()
	for i, of := range h.pushed {
		other := h.pushed[(i+1)%len(h.pushed)]
		assert.Equal(t, http.StatusUnauthorized, of.knock(t, h.door, other.password()), "%s takes the password of %s", of.id, other.id)
	}
	for _, of := range h.polled {
		if h.well(of) || of == h.revoked {
			eventually(t, of.id+" has all", func() bool { return len(of.app.events()) == tenantRecords })
			of.requireTheirs(t)
		}
	}
	t.Logf("all read after %v", time.Since(began).Round(time.Millisecond))

	h.revoked.company.RevokeToken()
	eventually(t, "its token is refused", func() bool {
		status, said := get("http://" + h.health + "/ready")
		return status == http.StatusServiceUnavailable && strings.Contains(said, h.revoked.id)
	})
	h.changeWhileOthersAreInTrouble()
	came := map[string]int{}
	for _, of := range h.all() {
		came[of.id] = len(of.app.events())
	}
	peak := peakMemory(t, p.cmd.Process.Pid)
	log := p.stop()

	again := h.restart(came)
	t.Logf("peak RSS %.1f MiB, and %.1f MiB after a restart; %v in all",
		float64(peak)/(1<<20), float64(peakMemory(t, again.cmd.Process.Pid))/(1<<20), time.Since(began).Round(time.Millisecond))
	assert.Less(t, max(peak, peakMemory(t, again.cmd.Process.Pid)), int64(most))
	log += again.stop()
	for _, of := range h.all() {
		for _, secret := range []string{of.token, of.app.key, of.password()} {
			assert.NotContains(t, log, secret)
		}
	}
}

// changeWhileOthersAreInTrouble changes a deal of every tenant three times.
func (h *tenement) changeWhileOthersAreInTrouble() {
	for _, of := range h.all() {
		for _, title := range []string{"one", "two", "three"} {
			of.change(0, title+" of "+of.id)
		}
	}
	h.requireAccepted()
	for _, of := range h.all() {
		if h.well(of) {
			eventually(h.t, of.id+" has the last change", func() bool { return slices.Contains(of.titles(), "three of "+of.id) })
		}
	}
	for _, of := range h.pushed {
		if h.well(of) {
			assert.Equal(h.t, []string{"one of " + of.id, "two of " + of.id, "three of " + of.id}, of.titles())
		}
		assert.Zero(h.t, of.company.TokensSpent(), "%s is not polled", of.id)
	}
	assert.Len(h.t, h.revoked.app.events(), tenantRecords)
	assert.Empty(h.t, h.spent.app.events())
	assert.Positive(h.t, h.down.app.refusals())
	assert.Empty(h.t, h.down.app.events())
	assert.Positive(h.t, h.pushedDown.app.refusals())
	assert.Empty(h.t, h.pushedDown.app.events())
}

// restart starts the process anew, mends what was wrong and changes a deal of some while it is down. Each tenant gets
// what it has not had, and no more.
func (h *tenement) restart(came map[string]int) *process {
	want := map[string]int{}
	for _, of := range h.all() {
		want[of.id] = came[of.id]
	}
	want[h.revoked.id]++ // the deal that changed while its token was refused
	want[h.spent.id], want[h.down.id], want[h.pushedDown.id] = tenantRecords, tenantRecords, 3
	for _, of := range h.polled[:10] {
		of.change(1, "while it was down")
		if of != h.spent {
			want[of.id]++
		}
	}
	h.revoked.company.SetToken(h.revoked.token)
	h.spent.company.SetBudget(2 * plenty)
	h.down.app.comeBack()
	h.pushedDown.app.comeBack()

	p := h.start()
	for _, of := range h.all() {
		eventually(h.t, of.id+" has what it missed", func() bool { return len(of.app.events()) >= want[of.id] })
	}
	eventually(h.t, "all are well", func() bool { status, _ := get("http://" + h.health + "/ready"); return status == http.StatusOK })
	read := func(of tenant) int { return of.company.Count("/api/v2/organizations") }
	before := map[string]int{}
	for _, of := range h.polled {
		before[of.id] = read(of)
	}
	for _, of := range h.polled {
		eventually(h.t, of.id+" is read again", func() bool { return read(of) > before[of.id] })
	}
	for _, of := range h.all() {
		assert.Len(h.t, of.app.events(), want[of.id], "%s, which had %d", of.id, came[of.id])
	}
	assert.Equal(h.t, []string{"one of " + h.pushedDown.id, "two of " + h.pushedDown.id, "three of " + h.pushedDown.id}, h.pushedDown.titles())
	return p
}
