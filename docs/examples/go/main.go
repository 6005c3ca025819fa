// Prints trades as they come.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"log"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/hamba/avro/v2"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"
)

type trade struct {
	InstID  string    `avro:"instId"`
	TradeID int64     `avro:"tradeId"`
	Px      *big.Rat  `avro:"px"` // exact
	Sz      *big.Rat  `avro:"sz"`
	Side    string    `avro:"side"`
	Ts      time.Time `avro:"ts"`
}

// text is the shortest exact decimal; 18 is the scale of the schema.
func text(value *big.Rat) string {
	digits := value.FloatString(18)
	return strings.TrimSuffix(strings.TrimRight(digits, "0"), ".")
}

func main() {
	ctx := context.Background()
	registry, err := sr.NewClient(sr.URLs(os.Getenv("SCHEMA_REGISTRY_URL")))
	if err != nil {
		log.Fatal(err)
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(strings.Split(os.Getenv("KAFKA_BOOTSTRAP_SERVERS"), ",")...),
		kgo.ConsumeTopics(os.Getenv("TOPIC_PREFIX")+"trades"),
		kgo.ConsumerGroup("example-go"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	remaining, err := strconv.Atoi(os.Getenv("COUNT"))
	if err != nil {
		remaining = 10
	}
	schemas := map[uint32]avro.Schema{}
	for remaining > 0 {
		fetches := client.PollFetches(ctx)
		if errs := fetches.Errors(); len(errs) > 0 {
			log.Fatal(errs[0].Err)
		}
		for records := fetches.RecordIter(); !records.Done() && remaining > 0; remaining-- {
			value := records.Next().Value
			id := binary.BigEndian.Uint32(value[1:5]) // byte 0 is the format, then the schema id
			if schemas[id] == nil {
				found, err := registry.SchemaByID(ctx, int(id))
				if err != nil {
					log.Fatal(err)
				}
				schemas[id] = avro.MustParse(found.Schema)
			}
			var t trade
			if err := avro.Unmarshal(schemas[id], value[5:], &t); err != nil {
				log.Fatal(err)
			}
			fmt.Println(t.InstID, t.TradeID, text(t.Px), text(t.Sz), t.Side, t.Ts.UTC().Format(time.RFC3339Nano))
		}
	}
}
