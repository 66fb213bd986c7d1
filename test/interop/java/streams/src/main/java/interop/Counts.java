package interop;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.LongDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/**
 * counts OUTPUT TOTAL: checks that the counts of every word are 1, 2, 3 and so on, and that their number is the total.
 */
final class Counts {
    private static final long LIMIT_MS = 60_000;

    private Counts() {
    }

    static String run(String servers, List<String> args) {
        long total = Long.parseLong(args.get(1));
        Map<String, Long> counts = new HashMap<>();
        long seen = 0;
        try (KafkaConsumer<String, Long> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", servers,
            "isolation.level", "read_committed"), new StringDeserializer(), new LongDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(args.get(0)).stream()
                .map(one -> new TopicPartition(one.topic(), one.partition())).collect(Collectors.toList());
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long lastMs = System.currentTimeMillis();
            while (seen < total) {
                for (ConsumerRecord<String, Long> record : consumer.poll(java.time.Duration.ofMillis(200))) {
                    check(counts.merge(record.key(), 1L, Long::sum).equals(record.value()),
                        record.key() + " counted " + record.value() + " at " + record.offset() + ", is " + counts);
                    seen++;
                    lastMs = System.currentTimeMillis();
                }
                check(System.currentTimeMillis() - lastMs < LIMIT_MS, "gave up waiting: " + seen + " of " + total);
            }
            check(consumer.poll(java.time.Duration.ofMillis(200)).isEmpty(), "more counts than records");
        }
        return String.format("{\"words\":%d,\"total\":%d}", counts.size(), seen);
    }

    private static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }
}
