// Plot draws what tests/bench measured: how fast it reads, and how fast it takes webhooks.
//
//	go run ./plot -figures figures.json -write benchmarks.svg
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"image/color"
	"os"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// figures are those of the report that are drawn, in records and requests a second.
type figures struct {
	Decode, PlainYAML, Poll float64
	Hooks64                 struct{ Bare, Hosts, Ours, Journal, JournalLate, Normalized struct{ Rate float64 } }
}

// bar is one lane.
type bar struct {
	name string
	rate float64
	ours bool
}

func main() {
	from := flag.String("figures", "", "the figures that tests/bench wrote")
	to := flag.String("write", "", "the SVG to write")
	flag.Parse()
	if err := run(*from, *to); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func run(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var f figures
	if err := json.Unmarshal(content, &f); err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	reading, err := chart("Reading: records a second", []bar{
		{"plain YAML", f.PlainYAML, false}, {"encoding/json", f.Decode, false}, {"pipedrive_poll", f.Poll, true},
	})
	if err != nil {
		return err
	}
	h := f.Hooks64
	webhooks, err := chart("Webhooks: requests a second, 64 connections", []bar{
		{"bare server", h.Bare.Rate, false},
		{"http_server", h.Hosts.Rate, false},
		{"pipedrive_webhook", h.Ours.Rate, true},
		{"with events", h.Normalized.Rate, true},
		{"with journal", h.Journal.Rate, true},
		{"all on disk", h.JournalLate.Rate, true},
	})
	if err != nil {
		return err
	}
	return write(to, reading, webhooks)
}

var (
	ourColour    = color.RGBA{R: 0x1a, G: 0x7f, B: 0x37, A: 0xff}
	othersColour = color.RGBA{R: 0x9a, G: 0xa4, B: 0xae, A: 0xff}
)

func chart(title string, bars []bar) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	p.Y.Min = 0
	p.HideY() // the bars have their numbers
	names := make([]string, len(bars))
	labels := plotter.XYLabels{}
	for i, b := range bars {
		names[i] = b.name
		one, err := plotter.NewBarChart(plotter.Values{b.rate}, vg.Points(36))
		if err != nil {
			return nil, fmt.Errorf("drawing %s: %w", b.name, err)
		}
		one.XMin, one.LineStyle.Width, one.Color = float64(i), 0, othersColour
		if b.ours {
			one.Color = ourColour
		}
		p.Add(one)
		labels.XYs = append(labels.XYs, plotter.XY{X: float64(i), Y: b.rate})
		labels.Labels = append(labels.Labels, fmt.Sprintf("%.0f", b.rate))
		p.Y.Max = max(p.Y.Max, b.rate*1.1)
	}
	text, err := plotter.NewLabels(labels)
	if err != nil {
		return nil, err
	}
	for i := range text.TextStyle {
		text.TextStyle[i].XAlign = draw.XCenter
		text.TextStyle[i].Font.Variant = "Sans"
	}
	text.Offset.Y = vg.Points(3)
	p.Add(text)
	p.NominalX(names...)
	p.X.Min, p.X.Max = -0.6, float64(len(bars))-0.4
	p.X.Tick.Label.Font.Variant, p.X.Tick.Label.Font.Size = "Sans", vg.Points(9)
	p.Title.TextStyle.Font.Variant = "Sans"
	return p, nil
}

func write(to string, charts ...*plot.Plot) error {
	const width, height = 15 * vg.Centimeter, 9 * vg.Centimeter
	canvas := vgsvg.New(width, height*vg.Length(len(charts)))
	tiles := draw.Tiles{Rows: len(charts), Cols: 1, PadY: vg.Points(18), PadTop: vg.Points(4), PadRight: vg.Points(8)}
	for i, p := range charts {
		p.Draw(tiles.At(draw.New(canvas), 0, i))
	}
	file, err := os.Create(to)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := canvas.WriteTo(file); err != nil {
		return err
	}
	return file.Close()
}
