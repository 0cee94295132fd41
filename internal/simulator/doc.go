// Package simulator plays Pipedrive: its REST lists and records, its credentials, its rate limits and its failures,
// in memory, with seeded data and a clock that can be moved. It knows nothing of the feed that reads it.
//
//	sim := simulator.RunT(t, simulator.Options{Deals: 1000}) // on a socket; New and Transport need none
//	id := sim.Add("deals", simulator.Fields{"title": "Renewal"})
//	sim.FailNext(simulator.Status(503).On("/api/v2/deals"))
//	sim.Advance(24 * time.Hour)
//
// Every change is also told by webhooks, to those who subscribed over the API or with Subscribe. They are sent over
// the network, or in process to what Deliver or DeliverTo names, and retried, banned and removed by the simulator's
// clock; Deliveries says what has become of each.
//
// Lists are named deals, deals_archived, persons, organizations, activities, products, pipelines, stages, leads,
// leads_archived, notes, users, files, projects, projects_archived, tasks, call_logs and activity_types. A name or an
// id that does not exist is a mistake in the test and panics.
//
// Inside a testing/synctest bubble call New there too, so that the seeded times lie before the bubble's clock.
//
// Where Pipedrive's documentation is silent the behaviour is a guess that Quirks can turn. Not played: writes of
// records over HTTP, /v1/recents, search, and the definitions of fields that only leads and notes have. include_fields
// and include_labels are taken and add nothing, and filter_id is taken for a filter that lets everything through.
package simulator
