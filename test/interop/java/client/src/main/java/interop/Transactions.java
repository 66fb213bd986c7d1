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

/**
 * Clients of one topic for scenarios of transactions. Records are short words; consumers return the words that they
 * have read.
 */
final class Transactions implements AutoCloseable {
    static final String COMMITTED = "read_committed";
    static final String UNCOMMITTED = "read_uncommitted";

    private final String servers;
    private final String topic;
    private final List<TopicPartition> partitions;
    /** Consumers that request end offsets, by isolation level. */
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

    /** A producer before initTransactions; its transactional id is the name of the topic. */
    KafkaProducer<byte[], byte[]> producer(int timeoutMs) {
        return Clients.producer(servers, Map.of("transactional.id", topic, "transaction.timeout.ms", timeoutMs));
    }

    /** A producer after initTransactions. */
    KafkaProducer<byte[], byte[]> ready() {
        KafkaProducer<byte[], byte[]> producer = producer(60_000);
        producer.initTransactions();
        return producer;
    }

    KafkaProducer<byte[], byte[]> plain() {
        return Clients.producer(servers, Map.of());
    }

    /** Sends the words to the partitions in turn. */
    void send(KafkaProducer<byte[], byte[]> producer, String... words) throws Exception {
        for (int i = 0; i < words.length; i++) {
            producer.send(new ProducerRecord<>(topic, i % partitions.size(), null, words[i].getBytes()));
        }
        producer.flush();
    }

    /** The words that a consumer reads after the end of all transactions, partition by partition. */
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

    /** The end offsets at this isolation level. */
    Collection<Long> ends(String isolation) {
        Map<TopicPartition, Long> ends = asking.computeIfAbsent(isolation, this::reader).endOffsets(partitions);
        return partitions.stream().map(ends::get).collect(Collectors.toList());
    }

    /** Waits until no transaction is open: a coordinator may respond before its markers are written. */
    void settle() {
        // Markers move both end offsets.
        awaitEnds(COMMITTED, () -> ends(UNCOMMITTED));
    }

    /** Polls until the end offsets are as expected, because a coordinator writes markers in the background. */
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
