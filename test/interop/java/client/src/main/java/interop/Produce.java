package interop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;

/** produce TOPIC PARTITIONS COUNT SIZE CODEC ACKS IDEMPOTENCE: produces numbered records; all must be acknowledged. */
final class Produce {
    private Produce() {
    }

    static String run(String servers, List<String> args) throws Exception {
        String topic = args.get(0);
        int partitions = Integer.parseInt(args.get(1));
        long count = Long.parseLong(args.get(2));
        int size = Integer.parseInt(args.get(3));
        Clients.ensureTopic(servers, topic, partitions);
        Map<String, Object> settings = Map.of("compression.type", args.get(4), "acks", args.get(5),
            "enable.idempotence", Boolean.parseBoolean(args.get(6)), "linger.ms", 5, "batch.size", 65_536);
        long startMs = System.currentTimeMillis();
        long bytes = send(servers, topic, count, new Sequence(partitions, size), settings);
        return String.format("{\"produced\":%d,\"bytes\":%d,\"ms\":%d}", count, bytes, System.currentTimeMillis() - startMs);
    }

    static long send(String servers, String topic, long count, Sequence sequence, Map<String, Object> settings) {
        AtomicReference<Exception> failure = new AtomicReference<>();
        long bytes = 0;
        try (KafkaProducer<byte[], byte[]> producer = Clients.producer(servers, settings)) {
            for (long i = 0; i < count; i++) {
                byte[] value = sequence.value(i);
                bytes += value.length;
                producer.send(new ProducerRecord<>(topic, sequence.partition(i), null, value), (metadata, error) -> {
                    if (error != null) {
                        failure.compareAndSet(null, error);
                    }
                });
            }
            producer.flush();
        }
        if (failure.get() != null) {
            throw new IllegalStateException("a record was not acknowledged", failure.get());
        }
        return bytes;
    }
}
