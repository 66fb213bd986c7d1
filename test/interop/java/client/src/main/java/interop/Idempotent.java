package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * idempotent TOPIC COUNT: two idempotent producers, one after the other, with five requests in flight and tiny batches.
 * Offsets must have no gaps, which means that no sequence was refused or appended twice.
 */
final class Idempotent {
    private Idempotent() {
    }

    static String run(String servers, List<String> args) throws Exception {
        String topic = args.get(0);
        int count = Integer.parseInt(args.get(1));
        Clients.ensureTopic(servers, topic, 1);
        Map<String, Object> settings = Map.of("enable.idempotence", true, "acks", "all", "batch.size", 200, "linger.ms", 0,
            "max.in.flight.requests.per.connection", 5);
        long next = 0;
        for (int round = 0; round < 2; round++) {
            try (KafkaProducer<byte[], byte[]> producer = Clients.producer(servers, settings)) {
                next = sendAll(producer, topic, count, next);
            }
        }
        return String.format("{\"produced\":%d}", next);
    }

    private static long sendAll(KafkaProducer<byte[], byte[]> producer, String topic, int count, long base) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sent.add(producer.send(new ProducerRecord<>(topic, 0, null, new byte[100])));
        }
        long expected = base;
        for (Future<RecordMetadata> one : sent) {
            long offset = one.get().offset();
            Clients.check(offset == expected, "offset " + offset + " where " + expected + " must come");
            expected++;
        }
        return expected;
    }
}
