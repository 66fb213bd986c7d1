package interop;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * endure TOPIC PARTITIONS SIZE IN_FLIGHT: an idempotent producer with that many requests in flight, which keeps running
 * while brokers restart. Prints the number of acknowledged records after each hundred, and ends when stdin has a line.
 */
final class Endure {
    private static final int PATIENCE_MS = 600_000;
    private static final int STEP = 100;

    private Endure() {
    }

    static String run(String servers, List<String> args) throws Exception {
        String topic = args.get(0);
        Sequence sequence = new Sequence(Integer.parseInt(args.get(1)), Integer.parseInt(args.get(2)));
        AtomicLong acknowledged = new AtomicLong();
        AtomicReference<Exception> failure = new AtomicReference<>();
        long sent = 0;
        try (KafkaProducer<byte[], byte[]> producer = Clients.producer(servers, settings(Integer.parseInt(args.get(3))))) {
            // Unacknowledged records fit into buffer.memory; beyond it, send waits.
            for (; !isOver() && failure.get() == null; sent++) {
                producer.send(new ProducerRecord<>(topic, sequence.partition(sent), null, sequence.value(sent)),
                    (metadata, error) -> {
                        if (error != null) {
                            failure.compareAndSet(null, error);
                        } else if (acknowledged.incrementAndGet() % STEP == 0) {
                            tell(String.valueOf(acknowledged.get()));
                        }
                    });
            }
        }
        if (failure.get() != null) {
            throw new IllegalStateException("a record was not acknowledged", failure.get());
        }
        Clients.check(acknowledged.get() == sent, acknowledged + " of " + sent + " records acknowledged");
        return String.format("{\"produced\":%d}", sent);
    }

    private static Map<String, Object> settings(int inFlight) {
        return Map.of("enable.idempotence", true, "acks", "all", "max.in.flight.requests.per.connection", inFlight,
            "batch.size", 500, "buffer.memory", 65_536, "max.block.ms", PATIENCE_MS, "delivery.timeout.ms", PATIENCE_MS,
            "retry.backoff.ms", 20, "reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 100);
    }

    private static boolean isOver() throws IOException {
        return System.in.available() > 0;
    }

    private static void tell(String line) {
        System.out.println(line);
        System.out.flush();
    }
}
