package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/pipedrive"
	"github.com/benthos-pipedrive/benthos-pipedrive/internal/webhook"
)

func webhooksCommand() *cli.Command {
	return &cli.Command{
		Name:  "webhooks",
		Usage: "See and change the webhooks that Pipedrive sends",
		Description: `
Does by hand what an input pipedrive_webhook with registration does while it runs. A webhook is ours when its URL is
--url and its name is --name; a sync and a remove without ids touch no other.

  {{.BinaryName}} webhooks list
  {{.BinaryName}} webhooks sync --dry-run --url https://hooks.example.com/events/pipedrive --event 'change.*'
  {{.BinaryName}} webhooks remove 1900001 1900002`[1:],
		Subcommands: []*cli.Command{webhooksList(), webhooksSync(), webhooksRemove()},
	}
}

func webhooksList() *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "Show all webhooks of the user that the credential belongs to",
		Flags: ourFlags(),
		Description: `
The last column says whose a webhook is: ours; old, which has our name and another URL; named, which has our name when no
--url tells more; or other's.`[1:],
		Action: func(c *cli.Context) error {
			return withSubscriptions(c, 0, func(ctx context.Context, cfg webhook.SubscriptionConfig, show printer) error {
				hooks, err := cfg.Client.Webhooks(ctx)
				if err != nil {
					return err
				}
				return show.list(hooks, &cfg)
			})
		},
	}
}

func webhooksSync() *cli.Command {
	return &cli.Command{
		Name:  "sync",
		Usage: "Register what is wanted, make anew what is of no use any more, remove what is not wanted",
		Description: `
Pipedrive tries the URL when a webhook is registered, so the door has to serve already. A webhook is made anew when it
is banned, sends another --version or the view of another --user-id, or was answered 401.`[1:],
		Flags: append(
			ourFlags(),
			&cli.StringSliceFlag{Name: "event", Value: cli.NewStringSlice("*.*"), Usage: "an event that is wanted, as action.object, each of which may be *; may be given several times"},
			&cli.StringFlag{Name: "version", Value: webhook.DefaultSubscriptionVersion, Usage: "the form of the webhooks, 2.0 or 1.0"},
			&cli.StringFlag{Name: "user-id", Usage: "the user whose view of the account is sent (default: the credential's)"},
			&cli.StringFlag{Name: "username", Usage: "the user name that the webhooks show (HTTP Basic)"},
			&cli.StringFlag{Name: "password", EnvVars: []string{"HOOK_PASSWORD"}, Usage: "the password that goes with it", DefaultText: "none"},
			dryRunFlag(),
		),
		Action: func(c *cli.Context) error {
			return withSubscriptions(c, 0, func(ctx context.Context, cfg webhook.SubscriptionConfig, show printer) error {
				cfg.Events, cfg.Version, cfg.UserID = c.StringSlice("event"), c.String("version"), c.String("user-id")
				cfg.Username, cfg.Password = c.String("username"), c.String("password")
				if (cfg.Username == "") != (cfg.Password == "") {
					return errors.New("--username, --password: one of them is empty, want both or neither (HOOK_PASSWORD is a password too)")
				}
				if c.Bool("dry-run") {
					return show.report(webhook.Preview(ctx, cfg))
				}
				return show.report(webhook.Sync(ctx, cfg))
			})
		},
	}
}

func webhooksRemove() *cli.Command {
	return &cli.Command{
		Name:      "remove",
		Usage:     "Remove the webhooks with these ids, whoever made them, or all of ours",
		ArgsUsage: "[id ...]",
		Description: `
Flags come before the ids. Without ids, --url has to say which are ours. Nothing is removed when an id does not exist.`[1:],
		Flags: append(ourFlags(), dryRunFlag()),
		Action: func(c *cli.Context) error {
			ids := c.Args().Slice()
			return withSubscriptions(c, len(ids), func(ctx context.Context, cfg webhook.SubscriptionConfig, show printer) error {
				switch {
				case len(ids) == 0 && cfg.URL == "":
					return errors.New("which webhooks to remove? Name their ids, or with --url the door whose webhooks are ours")
				case len(ids) > 0 && cfg.URL != "":
					return errors.New("--url: says which are ours, which cannot be told together with ids")
				case len(ids) > 0:
					return show.report(removeByID(ctx, cfg.Client, ids, c.Bool("dry-run")))
				case c.Bool("dry-run"):
					return show.report(webhook.PreviewRemove(ctx, cfg))
				}
				return show.report(webhook.Remove(ctx, cfg))
			})
		},
	}
}

// ourFlags say how to ask Pipedrive, and what is ours.
func ourFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "api-token", EnvVars: []string{"PIPEDRIVE_API_TOKEN"}, Usage: "the personal API token", DefaultText: "none"},
		&cli.StringFlag{Name: "base-url", EnvVars: []string{"PIPEDRIVE_BASE_URL"}, Value: pipedrive.DefaultBaseURL, Usage: "where the API is"},
		&cli.StringFlag{Name: "url", Usage: "where Pipedrive finds the door: its public URL with its path"},
		&cli.StringFlag{Name: "name", Value: webhook.DefaultSubscriptionName, Usage: "the name of our webhooks"},
		&cli.BoolFlag{Name: "json", Usage: "print JSON"},
	}
}

func dryRunFlag() cli.Flag {
	return &cli.BoolFlag{Name: "dry-run", Usage: "only tell what would be done"}
}

// requestLimit bounds one request.
const requestLimit = 30 * time.Second

// withSubscriptions does something with the account of the flags. More arguments than args are refused.
func withSubscriptions(c *cli.Context, args int, do func(context.Context, webhook.SubscriptionConfig, printer) error) error {
	if c.NArg() > args {
		return fmt.Errorf("webhooks %s takes flags only, not %q", c.Command.Name, c.Args().First())
	}
	if c.String("api-token") == "" {
		return errors.New("--api-token: is empty, it or PIPEDRIVE_API_TOKEN must be set")
	}
	client, err := pipedrive.New(pipedrive.Config{
		BaseURL:    c.String("base-url"),
		APIToken:   c.String("api-token"),
		Timeout:    requestLimit,
		UserAgent:  name + "/" + version,
		DailyShare: 1,
	})
	if err != nil {
		return asFlag(err)
	}
	defer client.Close()
	cfg := webhook.SubscriptionConfig{Client: client, URL: c.String("url"), Name: c.String("name")}
	show := printer{to: c.App.Writer, json: c.Bool("json"), dryRun: c.Bool("dry-run")}
	err = do(c.Context, cfg, show)
	if wrong := (*webhook.ConfigError)(nil); errors.As(err, &wrong) {
		flag := map[string]string{"public_url": "url", "events": "event"}[wrong.Field]
		return asFlag(fmt.Errorf("%s: %s", cmp.Or(flag, wrong.Field), wrong.Text))
	}
	return err
}

// asFlag words an error that begins with a field of the configuration as one about the flag: base_url is --base-url.
func asFlag(err error) error {
	field, rest, _ := strings.Cut(err.Error(), ":")
	return errors.New("--" + strings.ReplaceAll(field, "_", "-") + ":" + rest)
}

var webhookID = regexp.MustCompile(`^[0-9]+$`)

// removeByID removes all of the ids or, when one of them is not among the webhooks, none.
func removeByID(ctx context.Context, client *pipedrive.Client, ids []string, dryRun bool) (webhook.Report, error) {
	for _, id := range ids {
		if !webhookID.MatchString(id) {
			return webhook.Report{}, fmt.Errorf("%q is no id of a webhook; flags come before the ids", id)
		}
	}
	hooks, err := client.Webhooks(ctx)
	if err != nil {
		return webhook.Report{}, err
	}
	events := map[string]string{}
	for _, w := range hooks {
		events[w.ID] = w.Action + "." + w.Object
	}
	for _, id := range ids {
		if events[id] == "" {
			return webhook.Report{}, fmt.Errorf("there is no webhook %s, nothing is removed", id)
		}
	}
	report := webhook.Report{Total: len(hooks)}
	for _, id := range ids {
		if events[id] == "" { // named twice
			continue
		}
		if !dryRun {
			gone := (*pipedrive.GoneError)(nil)
			if err := client.DeleteWebhook(ctx, id); err != nil && !errors.As(err, &gone) {
				return report, err
			}
			report.Total--
		}
		report.Changes = append(report.Changes, webhook.Change{
			Repair: webhook.RepairRemoved, Reason: webhook.ReasonAsked, Event: events[id], ID: id,
		})
		delete(events, id)
	}
	return report, nil
}
