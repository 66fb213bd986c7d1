package interop;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.TopicPartition;

/** Consume, transform, produce: the offsets of the input are committed in the transaction of the output. */
final class TransformTask {
    private static final List<String> INPUT = List.of("a", "b", "c", "d", "e", "f");

    private TransformTask() {
    }

    interface Committing {
        void commit(KafkaProducer<byte[], byte[]> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
            KafkaConsumer<byte[], byte[]> consumer) throws Exception;
    }

    static void asMember(KafkaProducer<byte[], byte[]> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
        KafkaConsumer<byte[], byte[]> consumer) {
        producer.sendOffsetsToTransaction(offsets, consumer.groupMetadata());
    }

    /** Commits with the group id alone, by the old method signature if the client has it. */
    static void asGroup(KafkaProducer<byte[], byte[]> producer, Map<TopicPartition, OffsetAndMetadata> offsets,
        KafkaConsumer<byte[], byte[]> consumer) throws Exception {
        String group = consumer.groupMetadata().groupId();
        try {
            KafkaProducer.class.getMethod("sendOffsetsToTransaction", Map.class, String.class).invoke(producer, offsets, group);
        } catch (NoSuchMethodException e) {
            producer.sendOffsetsToTransaction(offsets, new ConsumerGroupMetadata(group));
        }
    }

    /** Reads all, aborts; reads all again, commits. Only the commit moves the offsets. */
    static String run(Transactions input, Committing committing) throws Exception {
        fill(input);
        StringBuilder seen = new StringBuilder();
        try (Transactions output = new Transactions(input.servers(), input.topic() + "-out", 1);
             KafkaConsumer<byte[], byte[]> consumer = member(input);
             KafkaProducer<byte[], byte[]> producer = output.ready()) {
            for (boolean commits : new boolean[] {false, true}) {
                producer.beginTransaction();
                Map<TopicPartition, OffsetAndMetadata> read = transform(consumer, output, producer);
                committing.commit(producer, read, consumer);
                if (commits) {
                    producer.commitTransaction();
                } else {
                    producer.abortTransaction();
                    consumer.seekToBeginning(read.keySet());
                }
                seen.append(committed(consumer, read.keySet())).append(' ');
            }
            return seen.append(output.read(Transactions.COMMITTED).size()).toString();
        }
    }

    /** A member of an old generation must not commit. */
    static String oldMember(Transactions input) throws Exception {
        fill(input);
        try (Transactions output = new Transactions(input.servers(), input.topic() + "-out", 1);
             KafkaConsumer<byte[], byte[]> consumer = member(input);
             KafkaProducer<byte[], byte[]> producer = output.ready()) {
            producer.beginTransaction();
            Map<TopicPartition, OffsetAndMetadata> read = transform(consumer, output, producer);
            ConsumerGroupMetadata old = consumer.groupMetadata();
            consumer.unsubscribe();
            String thrown = TransactionTask.thrown(() -> {
                producer.sendOffsetsToTransaction(read, old);
                producer.commitTransaction();
            });
            producer.abortTransaction();
            return thrown + " " + output.read(Transactions.COMMITTED);
        }
    }

    private static void fill(Transactions input) throws Exception {
        try (KafkaProducer<byte[], byte[]> plain = input.plain()) {
            input.send(plain, INPUT.toArray(new String[0]));
        }
    }

    private static KafkaConsumer<byte[], byte[]> member(Transactions input) {
        KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(input.servers(),
            Map.of("group.id", input.topic(), "isolation.level", Transactions.COMMITTED));
        consumer.subscribe(Set.of(input.topic()));
        return consumer;
    }

    private static Map<TopicPartition, OffsetAndMetadata> transform(KafkaConsumer<byte[], byte[]> consumer,
        Transactions output, KafkaProducer<byte[], byte[]> producer) throws Exception {
        Map<TopicPartition, OffsetAndMetadata> read = new HashMap<>();
        long startMs = System.currentTimeMillis();
        for (int count = 0; count < INPUT.size();) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Clients.POLL)) {
                output.send(producer, new String(record.value()).toUpperCase());
                read.put(new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1));
                count++;
            }
            Clients.checkTime(startMs, count + " of " + INPUT.size() + " records");
        }
        return read;
    }

    private static long committed(KafkaConsumer<byte[], byte[]> consumer, Set<TopicPartition> partitions) {
        return consumer.committed(partitions).values().stream()
            .mapToLong(offset -> offset == null ? 0 : offset.offset()).sum();
    }
}
