package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

func simulateCommand() *cli.Command {
	return &cli.Command{
		Name:  "simulate",
		Usage: "Play a Pipedrive to try pipelines against",
		Description: `
Serves the API of a made-up Pipedrive account in memory, with its paging, its rate limits and, if asked, its failures,
and prints a pipeline to try against it:

  {{.BinaryName}} simulate --changes-per-second 2 > pipeline.yaml &
  {{.BinaryName}} run pipeline.yaml

It ends on SIGINT or SIGTERM, and after --duration. The same seed is the same account.`[1:],
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "address", Value: "127.0.0.1:7878", Usage: "where to listen; port 0 takes a free one"},
			&cli.StringFlag{Name: "token", Value: "0123456789abcdef0123456789abcdef01234567", Usage: "the API token that is let in"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "decides every made-up value"},
			&cli.IntFlag{Name: "deals", Value: 1000, Usage: "how many there are at the beginning"},
			&cli.IntFlag{Name: "persons", Value: 500, Usage: "how many there are at the beginning"},
			&cli.IntFlag{Name: "organizations", Value: 200, Usage: "how many there are at the beginning"},
			&cli.Float64Flag{Name: "changes-per-second", Value: 1, Usage: "how often somebody creates, changes or deletes a record; 0 is never"},
			&cli.DurationFlag{Name: "duration", Usage: "end after this time, like 90s; 0 is never"},
			&cli.IntFlag{
				Name: "daily-budget", Value: 10_000_000,
				Usage: "tokens that the company may spend a day; a real company of one seat has 30000, with which a poller paces itself to minutes",
			},
			&cli.IntFlag{Name: "burst", Value: 100, Usage: "requests that the token may make in two seconds"},
			&cli.Int64Flag{Name: "fail-every", Usage: "answer every n-th request with 503; 0 is none"},
			&cli.Int64Flag{Name: "rate-limit-every", Usage: "answer every n-th request with 429, as if the burst were used up; 0 is none"},
			&cli.StringFlag{Name: "webhook", Usage: "an http or https URL that is told of every change by webhook, with a line on standard error for each try"},
			&cli.StringFlag{Name: "webhook-version", Value: "2.0", Usage: "the form of the webhooks, 2.0 or 1.0"},
			&cli.StringFlag{Name: "webhook-user", Usage: "the user name that the webhooks show (HTTP Basic)"},
			&cli.StringFlag{Name: "webhook-password", Usage: "the password that goes with it"},
			&cli.BoolFlag{Name: "verbose", Usage: "tell on standard error what is changed"},
		},
		Action: func(c *cli.Context) error {
			s, err := simulationOf(c)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
			defer stop()
			return s.run(ctx, c.App.Writer, c.App.ErrWriter)
		},
	}
}

// simulation is what the flags of simulate say.
type simulation struct {
	address        string
	account        simulator.Options
	changes        float64       // a second
	duration       time.Duration // 0 is until it is told to end
	failEvery      int64         // each n-th request is answered 503; 0 is none
	rateLimitEvery int64         // each n-th request is answered 429; 0 is none
	verbose        bool
	webhook        simulator.Webhook // without a URL there is none
}

// maxChanges a second is far more than any account sees, and far less than a ticker can tick.
const maxChanges = 1000

// plainToken needs no quotes in a header, a shell or YAML.
var plainToken = regexp.MustCompile(`^[0-9A-Za-z._-]+$`)

func simulationOf(c *cli.Context) (*simulation, error) {
	var wrong []error
	for _, flag := range []string{"deals", "persons", "organizations"} {
		if n := c.Int(flag); n < 0 {
			wrong = append(wrong, fmt.Errorf("--%s is %d and must be 0 or more", flag, n))
		}
	}
	for _, flag := range []string{"daily-budget", "burst"} {
		if n := c.Int(flag); n < 1 {
			wrong = append(wrong, fmt.Errorf("--%s is %d and must be 1 or more", flag, n))
		}
	}
	for _, flag := range []string{"fail-every", "rate-limit-every"} {
		if n := c.Int64(flag); n < 0 {
			wrong = append(wrong, fmt.Errorf("--%s is %d and must be 0 or more", flag, n))
		}
	}
	if n := c.Float64("changes-per-second"); !(n >= 0 && n <= maxChanges) { // so that NaN is refused too
		wrong = append(wrong, fmt.Errorf("--changes-per-second is %v and must be from 0 to %d", n, maxChanges))
	}
	if d := c.Duration("duration"); d < 0 {
		wrong = append(wrong, fmt.Errorf("--duration is %v and must be 0s or more", d))
	}
	if t := c.String("token"); !plainToken.MatchString(t) {
		wrong = append(wrong, fmt.Errorf("--token is %q and must be letters, digits, dots, dashes and underscores", t))
	}
	if to := c.String("webhook"); to != "" && !isWebURL(to) {
		wrong = append(wrong, errors.New("--webhook must be an absolute http or https URL, like http://127.0.0.1:8080/events"))
	}
	if v := c.String("webhook-version"); v != "2.0" && v != "1.0" {
		wrong = append(wrong, fmt.Errorf("--webhook-version is %q and must be 2.0 or 1.0", v))
	}
	if c.NArg() > 0 {
		wrong = append(wrong, fmt.Errorf("simulate takes flags only, not %q", c.Args().First()))
	}
	return &simulation{
		address: c.String("address"),
		account: simulator.Options{
			Seed:          c.Uint64("seed"),
			Token:         c.String("token"),
			Deals:         c.Int("deals"),
			Persons:       c.Int("persons"),
			Organizations: c.Int("organizations"),
			DailyBudget:   c.Int("daily-budget"),
			Burst:         c.Int("burst"),
		},
		changes:        c.Float64("changes-per-second"),
		duration:       c.Duration("duration"),
		failEvery:      c.Int64("fail-every"),
		rateLimitEvery: c.Int64("rate-limit-every"),
		verbose:        c.Bool("verbose"),
		webhook: simulator.Webhook{
			Name: "simulate", URL: c.String("webhook"), Version: c.String("webhook-version"),
			Username: c.String("webhook-user"), Password: c.String("webhook-password"),
		},
	}, errors.Join(wrong...)
}

// isWebURL tells whether something can be posted there. What is no URL is not repeated: it may hold a password.
func isWebURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// run serves the account until ctx ends or the duration is over. The pipeline to try goes to out; what is changed in
// the account, and how its webhooks fare, to log.
func (s *simulation) run(ctx context.Context, out, log io.Writer) (err error) {
	if s.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.duration)
		defer cancel()
	}
	sim := simulator.New(s.account)
	s.misbehave(sim)
	if err := sim.Start(s.address); err != nil {
		return fmt.Errorf("starting the simulator (--address says where): %w", err)
	}
	defer func() { err = errors.Join(err, sim.Close()) }()
	if s.webhook.URL != "" {
		sim.OnDelivery(func(d simulator.Delivery) { fmt.Fprintln(log, tellDelivery(d)) })
		sim.Subscribe(s.webhook)
	}
	if err := s.invite(out, sim.URL()); err != nil {
		return fmt.Errorf("printing the pipeline: %w", err)
	}

	var say func(string)
	if s.verbose {
		say = func(change string) { fmt.Fprintln(log, change) }
	}
	sim.KeepChanging(ctx, s.changes, say) // returns at once when there is nothing to change
	<-ctx.Done()
	return nil
}

// invite prints a pipeline that reads the account, as one YAML document: all else that is worth saying is a comment.
// The export line is for people and for programs: it is the environment of the pipelines in config.
func (s *simulation) invite(out io.Writer, url string) error {
	_, err := fmt.Fprintf(out, `# A made-up Pipedrive: %d deals, %d persons, %d organizations; %v changes a second.
# It is at %s until this program ends. Save this text as pipeline.yaml, and in another terminal:
#
#   %s run pipeline.yaml
#
# Any other pipeline finds it with base_url and api_token as below. Those in config take them from the environment:
#
# export PIPEDRIVE_BASE_URL=%s PIPEDRIVE_API_TOKEN=%s

input:
  label: crm
  pipedrive_poll:
    base_url: %s
    api_token: "%s"
    objects: [ deals, persons, organizations ]
    interval: 5s

output:
  stdout: {}
`, s.account.Deals, s.account.Persons, s.account.Organizations, s.changes, url, name,
		url, s.account.Token, url, s.account.Token)
	return err
}

// misbehave has every so many requests fail. A request is counted before the account looks at it, so that the very
// request fails.
func (s *simulation) misbehave(sim *simulator.Simulator) {
	var requests atomic.Int64
	sim.OnRequest(func(*http.Request) {
		n := requests.Add(1)
		if s.failEvery > 0 && n%s.failEvery == 0 {
			sim.FailNext(simulator.Status(http.StatusServiceUnavailable))
		}
		if s.rateLimitEvery > 0 && n%s.rateLimitEvery == 0 {
			sim.FailNext(simulator.Burst429())
		}
	})
}
