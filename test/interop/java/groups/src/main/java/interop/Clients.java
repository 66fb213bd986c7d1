package interop;

import java.util.HashMap;
import java.util.Map;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Clients of byte arrays that reconnect soon after a restart of the broker. They keep their topic metadata meanwhile:
 * clients of 4.x forget it when no broker responds, and a classic leader without partition counts requests a rebalance.
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

    /**
     * One request in flight: a Kafka that has just created a topic may refuse the first of several, and accept the
     * second.
     */
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
