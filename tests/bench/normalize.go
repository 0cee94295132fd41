package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
)

// normalizing is what one message costs: decoded and encoded by the standard library, and made an event.
type normalizing struct {
	Body        string
	Plain, Ours cost
	Ratio       float64 // of the times, the median of what it was in each round
}

type cost struct{ NS, Bytes, Allocs float64 }

const normalizeRounds = 5

var normalizeLine = regexp.MustCompile(`BenchmarkNormalize/(\w+)/(encoding_json|pipedrive_normalize)-\d+\s+\d+\s+([\d.]+) ns/op.*?(\d+) B/op\s+(\d+) allocs/op`)

// bodies are the sizes of the processor's benchmark, and what to call them.
var bodies = []struct{ name, title string }{
	{"2_fields", "a webhook of 1.3 KB with 2 custom fields"},
	{"200_fields", "one with 200 custom fields"},
	{"400_users", "one that 400 users may see"},
}

// measureNormalizing runs the processor's own benchmark several times: there the two lanes of each size come one after
// the other.
func measureNormalizing(ctx context.Context, _ string, r *report) error {
	rounds := map[string]map[string][]cost{}
	for range normalizeRounds {
		out, err := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "BenchmarkNormalize", "-benchtime", "300ms", "./processor").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		for _, m := range normalizeLine.FindAllSubmatch(out, -1) {
			number := func(i int) float64 { n, _ := strconv.ParseFloat(string(m[i]), 64); return n }
			body, lane := string(m[1]), string(m[2])
			if rounds[body] == nil {
				rounds[body] = map[string][]cost{}
			}
			rounds[body][lane] = append(rounds[body][lane], cost{number(3), number(4), number(5)})
		}
	}
	for _, body := range bodies {
		plain, ours := rounds[body.name]["encoding_json"], rounds[body.name]["pipedrive_normalize"]
		if len(plain) != normalizeRounds || len(ours) != normalizeRounds {
			return fmt.Errorf("the benchmark of normalizing printed %d and %d lines of %s", len(plain), len(ours), body.name)
		}
		over := func(of func(i int) float64) float64 {
			all := make([]float64, normalizeRounds)
			for i := range all {
				all[i] = of(i)
			}
			return median(all)
		}
		middle := func(lane []cost) cost {
			return cost{
				NS:     over(func(i int) float64 { return lane[i].NS }),
				Bytes:  over(func(i int) float64 { return lane[i].Bytes }),
				Allocs: over(func(i int) float64 { return lane[i].Allocs }),
			}
		}
		r.Normalizing = append(r.Normalizing, normalizing{
			Body: body.title, Plain: middle(plain), Ours: middle(ours),
			Ratio: over(func(i int) float64 { return ours[i].NS / plain[i].NS }),
		})
	}
	return nil
}
