package interop;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * transform INPUT OUTPUT ID: copies a topic to another in transactions while brokers restart. Prints the number of
 * copied records after each transaction, and ends when stdin has a line.
 */
final class Transform {
    private static final int PATIENCE_MS = 600_000;

    private final String servers;
    private final String output;
    private final String id;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private KafkaProducer<byte[], byte[]> producer;

    private Transform(String servers, String output, String id, KafkaConsumer<byte[], byte[]> consumer) {
        this.servers = servers;
        this.output = output;
        this.id = id;
        this.consumer = consumer;
    }

    static String run(String servers, List<String> args) throws Exception {
        Map<String, Object> settings = Map.of("group.id", args.get(2), "isolation.level", Transactions.COMMITTED,
            "max.poll.records", 200, "default.api.timeout.ms", PATIENCE_MS, "retry.backoff.ms", 20,
            "reconnect.backoff.ms", 20, "reconnect.backoff.max.ms", 100);
        long copied = 0;
        try (KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(servers, settings)) {
            consumer.subscribe(Set.of(args.get(0)));
            Transform transform = new Transform(servers, args.get(1), args.get(2), consumer);
            while (System.in.available() == 0) {
                int count = transform.copy(consumer.poll(Clients.POLL));
                if (count > 0) {
                    copied += count;
                    System.out.println(copied);
                    System.out.flush();
                }
            }
            transform.close();
        }
        return String.format("{\"copied\":%d}", copied);
    }

    /** One transaction. Returns 0 if it was abandoned; its input is then read again. */
    private int copy(ConsumerRecords<byte[], byte[]> records) throws IOException {
        if (records.isEmpty()) {
            return 0;
        }
        try {
            begin();
            Map<TopicPartition, OffsetAndMetadata> read = new HashMap<>();
            for (ConsumerRecord<byte[], byte[]> record : records) {
                producer.send(new ProducerRecord<>(output, record.partition(), null, record.value()));
                read.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
            }
            producer.sendOffsetsToTransaction(read, consumer.groupMetadata());
            producer.commitTransaction();
            return records.count();
        } catch (KafkaException e) {
            System.err.println("given up: " + e);
            giveUp();
            return 0;
        }
    }

    /** A new producer with the same transactional id aborts the open transaction of the previous one. */
    private void begin() {
        if (producer == null) {
            producer = Clients.producer(servers, Map.of("transactional.id", id, "max.block.ms", PATIENCE_MS,
                "delivery.timeout.ms", PATIENCE_MS, "retry.backoff.ms", 20, "reconnect.backoff.ms", 20,
                "reconnect.backoff.max.ms", 100, "client.id", id + "-" + UUID.randomUUID()));
            producer.initTransactions();
        }
        producer.beginTransaction();
    }

    /** The result of the commit is unknown here; the committed offsets of the group show it. */
    private void giveUp() {
        close();
        Map<TopicPartition, OffsetAndMetadata> committed;
        begin();
        producer.abortTransaction();
        committed = consumer.committed(consumer.assignment());
        committed.forEach((partition, offset) -> consumer.seek(partition, offset == null ? 0 : offset.offset()));
    }

    private void close() {
        if (producer != null) {
            producer.close(java.time.Duration.ZERO);
            producer = null;
        }
    }
}
