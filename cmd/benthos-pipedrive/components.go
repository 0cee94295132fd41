package main

// What a pipeline may name, one group a block; each import registers its components with the host. What is taken from
// Redpanda Connect is under the Apache licence, with all that it links there, and licence_test.go holds that. Kafka is
// the one exception and has a file of its own.
import (
	// Ours: the inputs, and the bolt cache that comes along with them; the processor; the output.
	_ "github.com/benthos-pipedrive/benthos-pipedrive/input"
	_ "github.com/benthos-pipedrive/benthos-pipedrive/output"
	_ "github.com/benthos-pipedrive/benthos-pipedrive/processor"

	// The host: files, HTTP, sockets, standard streams; mapping, brokers, caches, rate limits; grok, parquet and such.
	_ "github.com/redpanda-data/benthos/v4/public/components/io"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure"
	_ "github.com/redpanda-data/benthos/v4/public/components/pure/extended"

	// Metrics: once imported, prometheus is the exporter of a config that names none.
	_ "github.com/redpanda-data/connect/v4/public/components/prometheus"

	// Queues and stores.
	_ "github.com/redpanda-data/connect/v4/public/components/amqp09"
	_ "github.com/redpanda-data/connect/v4/public/components/mongodb"
	_ "github.com/redpanda-data/connect/v4/public/components/mqtt"
	_ "github.com/redpanda-data/connect/v4/public/components/nats"
	_ "github.com/redpanda-data/connect/v4/public/components/redis"

	// SQL: the components without drivers, then the drivers (PostgreSQL's is in sql.go). The package with all drivers
	// would bring Snowflake, Trino, Spanner and a binary twice the size; these are pure Go, so cgo stays off.
	_ "github.com/go-sql-driver/mysql"
	_ "github.com/redpanda-data/connect/v4/public/components/sql/base"
	_ "modernc.org/sqlite"
)
