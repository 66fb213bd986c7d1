package interop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/** A consumer in the calling thread, which polls it through rebalances and waits for its records. */
final class Reader implements AutoCloseable {
    private static final Duration POLL = Duration.ofMillis(100);
    private static final long LIMIT_MS = Long.getLong("limit.ms", 60_000);
    final KafkaConsumer<byte[], byte[]> consumer;
    private final List<String> values = new ArrayList<>();

    Reader(Scene on, Map<String, Object> settings) {
        consumer = on.consumer(settings);
    }

    /** A consumer that has its partitions. */
    static Reader subscribed(Scene on, Map<String, Object> settings) throws Exception {
        Reader reader = new Reader(on, settings);
        reader.consumer.subscribe(List.of(on.topic));
        reader.until("an assignment", () -> !reader.consumer.assignment().isEmpty());
        return reader;
    }

    static Reader assigned(Scene on, Collection<TopicPartition> partitions, Map<String, Object> settings) {
        Reader reader = new Reader(on, settings);
        reader.consumer.assign(partitions);
        return reader;
    }

    /** The next values, at least that many, sorted. */
    String read(int count) throws Exception {
        until(count + " records", () -> values.size() >= count);
        List<String> all = new ArrayList<>(values);
        values.clear();
        Collections.sort(all);
        return String.join("", all);
    }

    void until(String what, BooleanSupplier holds) throws Exception {
        for (long startMs = System.currentTimeMillis(); !holds.getAsBoolean();) {
            consumer.poll(POLL).forEach(record -> values.add(new String(record.value())));
            if (System.currentTimeMillis() - startMs > LIMIT_MS) {
                throw new TimeoutException("gave up waiting for " + what + ", has read " + values);
            }
        }
    }

    @Override
    public void close() {
        consumer.close();
    }
}
