package interop;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Clients of bytes that are soon there again when a broker is. They keep what they know of topics meanwhile: clients of 4.x
 * forget it when no broker answers, and a classic leader that knows no partitions asks for a rebalance.
 */
final class Clients {
    private static final Map<String, Object> SOON = Map.of("reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 100,
        "retry.backoff.ms", 20, "metadata.recovery.strategy", "none");

    private Clients() {
    }

    static KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> settings) {
        Map<String, Object> all = with(settings);
        all.putIfAbsent("auto.offset.reset", "earliest");
        all.putIfAbsent("enable.auto.commit", false);
        all.putIfAbsent("fetch.max.wait.ms", 100);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    /** One request at a time: a Kafka that has just made a topic may refuse the first of several, and take the second. */
    static KafkaProducer<byte[], byte[]> producer(String servers) {
        return new KafkaProducer<>(with(Map.of("bootstrap.servers", servers, "enable.idempotence", true, "acks", "all",
            "max.in.flight.requests.per.connection", 1)), new ByteArraySerializer(), new ByteArraySerializer());
    }

    static Admin admin(String servers) {
        return Admin.create(with(Map.of("bootstrap.servers", servers)));
    }

    private static Map<String, Object> with(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(SOON);
        all.putAll(settings);
        return all;
    }
}
