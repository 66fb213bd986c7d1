package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** committed TOPIC COUNT: the offsets of the records that a read_committed consumer reads. */
final class Committed {
    private static final long LIMIT_MS = 60_000;

    private Committed() {
    }

    static String run(String servers, List<String> args) {
        List<String> offsets = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(Map.of("bootstrap.servers", servers,
            "isolation.level", "read_committed"), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = List.of(new TopicPartition(args.get(0), 0));
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            for (long startMs = System.currentTimeMillis(); offsets.size() < Integer.parseInt(args.get(1));) {
                consumer.poll(java.time.Duration.ofMillis(200)).forEach(record -> offsets.add(String.valueOf(record.offset())));
                if (System.currentTimeMillis() - startMs > LIMIT_MS) {
                    throw new TimeoutException(offsets.toString());
                }
            }
        }
        return String.format("{\"offsets\":\"%s\"}", String.join(" ", offsets));
    }
}
