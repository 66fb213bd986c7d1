package interop;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** Clients of one topic for scenarios of transactions: records are short words, and readers answer what they saw. */
final class Transactions implements AutoCloseable {
    static final String COMMITTED = "read_committed";
    static final String UNCOMMITTED = "read_uncommitted";

    private final String servers;
    private final String topic;
    private final List<TopicPartition> partitions;
    /** Those that ask where the partitions end, by isolation. */
    private final Map<String, KafkaConsumer<byte[], byte[]>> asking = new HashMap<>();

    Transactions(String servers, String topic, int partitions) throws Exception {
        Clients.ensureTopic(servers, topic, partitions);
        this.servers = servers;
        this.topic = topic;
        this.partitions = IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).collect(Collectors.toList());
    }

    String servers() {
        return servers;
    }

    String topic() {
        return topic;
    }

    /** A producer whose transactional id is the topic's name; it has not met its coordinator yet. */
    KafkaProducer<byte[], byte[]> producer(int timeoutMs) {
        return Clients.producer(servers, Map.of("transactional.id", topic, "transaction.timeout.ms", timeoutMs));
    }

    /** One that has. */
    KafkaProducer<byte[], byte[]> ready() {
        KafkaProducer<byte[], byte[]> producer = producer(60_000);
        producer.initTransactions();
        return producer;
    }

    KafkaProducer<byte[], byte[]> plain() {
        return Clients.producer(servers, Map.of());
    }

    /** Words to the partitions in turn. */
    void send(KafkaProducer<byte[], byte[]> producer, String... words) throws Exception {
        for (int i = 0; i < words.length; i++) {
            producer.send(new ProducerRecord<>(topic, i % partitions.size(), null, words[i].getBytes()));
        }
        producer.flush();
    }

    /** The words that a reader finds when all transactions are over, a partition after the other. */
    List<String> read(String isolation) {
        settle();
        try (KafkaConsumer<byte[], byte[]> consumer = reader(isolation)) {
            return readOn(consumer);
        }
    }

    KafkaConsumer<byte[], byte[]> reader(String isolation) {
        KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(servers, Map.of("isolation.level", isolation));
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return consumer;
    }

    List<String> readOn(KafkaConsumer<byte[], byte[]> consumer) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
        long startMs = System.currentTimeMillis();
        while (partitions.stream().anyMatch(partition -> consumer.position(partition) < ends.get(partition))) {
            consumer.poll(Clients.POLL).forEach(records::add);
            Clients.checkTime(startMs, "the end " + ends + " of " + topic);
        }
        records.sort((one, other) -> Integer.compare(one.partition(), other.partition()));
        return records.stream().map(record -> new String(record.value())).collect(Collectors.toList());
    }

    /** Where the partitions end for such a reader. */
    Collection<Long> ends(String isolation) {
        Map<TopicPartition, Long> ends = asking.computeIfAbsent(isolation, this::reader).endOffsets(partitions);
        return partitions.stream().map(ends::get).collect(Collectors.toList());
    }

    /** Waits until no transaction is open: a coordinator may answer before its markers are written. */
    void settle() {
        // The markers move both ends.
        awaitEnds(COMMITTED, () -> ends(UNCOMMITTED));
    }

    /** Asks for the ends until they are these, as what a coordinator does by itself is seen some time later. */
    void awaitEnds(String isolation, Supplier<Collection<Long>> expected) {
        long startMs = System.currentTimeMillis();
        while (!ends(isolation).equals(expected.get())) {
            Clients.checkTime(startMs, "ends " + expected.get() + " of " + topic);
        }
    }

    @Override
    public void close() {
        asking.values().forEach(KafkaConsumer::close);
    }
}
