package interop;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;

/**
 * consume TOPIC PARTITIONS COUNT SIZE GROUP [ISOLATION]: reads all records in order and commits; then reads the
 * committed offsets.
 */
final class Consume {
    private Consume() {
    }

    static String run(String servers, List<String> args) {
        String topic = args.get(0);
        long count = Long.parseLong(args.get(2));
        Sequence sequence = new Sequence(Integer.parseInt(args.get(1)), Integer.parseInt(args.get(3)));
        long startMs = System.currentTimeMillis();
        String isolation = args.size() > 5 ? args.get(5) : "read_uncommitted";
        Map<String, Object> settings = Map.of("group.id", args.get(4), "isolation.level", isolation);
        try (KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(servers, settings)) {
            consumer.subscribe(Set.of(topic));
            long lastMs = startMs;
            while (sequence.seen() < count) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Clients.POLL)) {
                    sequence.accept(record);
                    lastMs = System.currentTimeMillis();
                }
                Clients.checkTime(lastMs, sequence.seen() + " of " + count + " records");
            }
            consumer.commitSync();
            consumer.committed(consumer.assignment()).forEach((partition, offset) ->
                Clients.check(offset != null && offset.offset() == consumer.position(partition), "committed " + partition));
            Clients.check(consumer.poll(Clients.POLL).isEmpty(), "more records than were produced");
        }
        return String.format("{\"consumed\":%d,\"ms\":%d}", sequence.seen(), System.currentTimeMillis() - startMs);
    }
}
