package example;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.avro.Conversions;
import org.apache.avro.Schema;
import org.apache.avro.data.TimeConversions;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.DecoderFactory;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints trades as they come. With Confluent's client, KafkaAvroDeserializer takes the place of AvroValues. */
public final class Trades {
    public static void main(String[] arguments) {
        Map<String, String> env = System.getenv();
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", env.get("KAFKA_BOOTSTRAP_SERVERS"),
                "group.id", "example-java",
                "auto.offset.reset", "earliest");
        int remaining = Integer.parseInt(env.getOrDefault("COUNT", "10"));
        try (var consumer = new KafkaConsumer<>(settings, new StringDeserializer(),
                new AvroValues(env.get("SCHEMA_REGISTRY_URL")))) {
            consumer.subscribe(List.of(env.getOrDefault("TOPIC_PREFIX", "") + "trades"));
            while (remaining > 0) {
                for (var message : consumer.poll(Duration.ofSeconds(1))) {
                    if (remaining-- <= 0) {
                        break;
                    }
                    GenericRecord trade = message.value(); // px and sz are BigDecimal, ts is an Instant
                    System.out.println(trade.get("instId") + " " + trade.get("tradeId") + " "
                            + plain(trade.get("px")) + " " + plain(trade.get("sz")) + " "
                            + trade.get("side") + " " + trade.get("ts"));
                }
            }
        }
    }

    private static String plain(Object decimal) {
        return ((java.math.BigDecimal) decimal).stripTrailingZeros().toPlainString();
    }

    /** Confluent's wire format: byte 0, the schema id as four bytes, Avro binary. */
    private static final class AvroValues implements Deserializer<GenericRecord> {
        private final HttpClient http = HttpClient.newHttpClient();
        private final Map<Integer, GenericDatumReader<GenericRecord>> readers = new HashMap<>();
        private final String registry;

        AvroValues(String registry) {
            this.registry = registry;
        }

        @Override
        public GenericRecord deserialize(String topic, byte[] value) {
            ByteBuffer bytes = ByteBuffer.wrap(value, 1, value.length - 1);
            var reader = readers.computeIfAbsent(bytes.getInt(), this::readerOf);
            try {
                return reader.read(null, DecoderFactory.get().binaryDecoder(value, 5, value.length - 5, null));
            } catch (IOException failure) {
                throw new IllegalStateException("undecodable record on " + topic, failure);
            }
        }

        private GenericDatumReader<GenericRecord> readerOf(int id) {
            try {
                var request = HttpRequest.newBuilder(URI.create(registry + "/schemas/ids/" + id)).build();
                String body = http.send(request, BodyHandlers.ofString()).body();
                String text = new ObjectMapper().readTree(body).get("schema").asText();
                GenericData data = new GenericData();
                data.addLogicalTypeConversion(new Conversions.DecimalConversion());
                data.addLogicalTypeConversion(new TimeConversions.TimestampMillisConversion());
                Schema schema = new Schema.Parser().parse(text);
                return new GenericDatumReader<>(schema, schema, data);
            } catch (IOException | InterruptedException failure) {
                throw new IllegalStateException("no schema " + id, failure);
            }
        }
    }
}
