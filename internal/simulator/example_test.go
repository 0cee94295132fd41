package simulator_test

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/tidwall/gjson"

	"github.com/benthos-pipedrive/benthos-pipedrive/internal/simulator"
)

// Without a socket: a deal is added, the first reading of it fails, the second has it.
func Example() {
	sim := simulator.New(simulator.Options{})
	sim.Add("deals", simulator.Fields{"title": "Renewal", "value": 1200})
	sim.FailNext(simulator.Status(503).On("/api/v2/deals"))

	client := &http.Client{Transport: sim.Transport()}
	for range 2 {
		req, _ := http.NewRequest(http.MethodGet, sim.URL()+"/api/v2/deals", http.NoBody)
		req.Header.Set("x-api-token", sim.Token())
		res, err := client.Do(req)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		fmt.Println(res.StatusCode, gjson.GetBytes(body, "success"), gjson.GetBytes(body, "data.#").Int())
	}
	fmt.Println(sim.TokensSpent(), "tokens")
	// Output:
	// 503 false 0
	// 200 true 1
	// 10 tokens
}

// In process: what is changed in the account arrives at a handler as a webhook.
func ExampleSimulator_Deliver() {
	sim := simulator.New(simulator.Options{Deals: 1})
	defer sim.Close()
	sim.Deliver(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Println(gjson.GetBytes(body, "meta.action"), gjson.GetBytes(body, "meta.entity"), gjson.GetBytes(body, "data.title"))
	}))
	sim.Subscribe(simulator.Webhook{URL: "https://hooks.example.com/pd"})
	sim.Update("deals", "1", simulator.Fields{"title": "Renewal"})
	if err := sim.Drain(context.Background()); err != nil {
		fmt.Println(err)
	}
	fmt.Println(sim.Deliveries()[0].Outcome)
	// Output:
	// change deal Renewal
	// delivered
}
