package interop;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Clients of byte arrays with short timeouts, so that a run with a broken broker fails soon. */
final class Clients {
    static final Duration POLL = Duration.ofMillis(200);
    static final long LIMIT_MS = 120_000;

    private Clients() {
    }

    static KafkaProducer<byte[], byte[]> producer(String servers, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", servers);
        all.putIfAbsent("delivery.timeout.ms", 120_000);
        all.putIfAbsent("request.timeout.ms", 60_000);
        return new KafkaProducer<>(all, new ByteArraySerializer(), new ByteArraySerializer());
    }

    static KafkaConsumer<byte[], byte[]> consumer(String servers, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", servers);
        all.putIfAbsent("auto.offset.reset", "earliest");
        all.putIfAbsent("enable.auto.commit", false);
        all.putIfAbsent("default.api.timeout.ms", 120_000);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    static Admin admin(String servers) {
        return Admin.create(Map.of("bootstrap.servers", servers, "request.timeout.ms", 60_000,
            "default.api.timeout.ms", 120_000));
    }

    /**
     * Creates the topic unless it exists, and waits until each partition responds. A Kafka names a leader before that
     * leader has the partition: it may refuse the first of several batches in flight and accept the second, and then
     * refuses the first forever.
     */
    static void ensureTopic(String servers, String topic, int partitions) throws Exception {
        try (Admin admin = admin(servers)) {
            createTopic(admin, new NewTopic(topic, partitions, (short) 1));
            Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
            for (int partition = 0; partition < partitions; partition++) {
                ends.put(new TopicPartition(topic, partition), OffsetSpec.latest());
            }
            long startMs = System.currentTimeMillis();
            while (!answers(admin, ends)) {
                checkTime(startMs, "partitions of " + topic);
            }
        }
    }

    /** False while the broker does not have the topic's metadata yet. */
    private static boolean answers(Admin admin, Map<TopicPartition, OffsetSpec> ends) throws Exception {
        try {
            admin.listOffsets(ends).all().get(LIMIT_MS, TimeUnit.MILLISECONDS);
            return true;
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof UnknownTopicOrPartitionException)) {
                throw e;
            }
            return false;
        }
    }

    private static void createTopic(Admin admin, NewTopic topic) throws Exception {
        try {
            admin.createTopics(Set.of(topic)).all().get(LIMIT_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException e) {
            if (!(e.getCause() instanceof TopicExistsException)) {
                throw e;
            }
        }
    }

    /** Fails a task that takes too long. */
    static void checkTime(long startMs, String what) {
        if (System.currentTimeMillis() - startMs > LIMIT_MS) {
            throw new IllegalStateException("gave up waiting: " + what);
        }
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }
}
