package interop;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/**
 * group TOPIC GROUP: a member reads half of a topic and commits; a second one joins, and both share the partitions; the
 * first leaves, and the second owns all. Each record is read once, and a restarted member finds no further records.
 */
final class GroupTask {
    private static final int PARTITIONS = 4;
    private static final int COUNT = 400;
    private final String servers;
    private final String topic;
    private final Map<String, Object> settings;
    private final Sequence sequence = new Sequence(PARTITIONS, 50);

    private GroupTask(String servers, String topic, String group) {
        this.servers = servers;
        this.topic = topic;
        this.settings = Map.of("group.id", group, "session.timeout.ms", 10_000, "heartbeat.interval.ms", 300,
            "max.poll.records", 50);
    }

    static String run(String servers, List<String> args) throws Exception {
        GroupTask task = new GroupTask(servers, args.get(0), args.get(1));
        Clients.ensureTopic(servers, task.topic, PARTITIONS);
        Produce.send(servers, task.topic, COUNT, new Sequence(PARTITIONS, 50), Map.of());
        task.rebalance();
        task.resume();
        task.committed(args.get(1));
        return String.format("{\"consumed\":%d,\"members\":2}", task.sequence.seen());
    }

    private void rebalance() {
        try (KafkaConsumer<byte[], byte[]> second = Clients.consumer(servers, settings)) {
            try (KafkaConsumer<byte[], byte[]> first = Clients.consumer(servers, settings)) {
                first.subscribe(Set.of(topic));
                readUntil(first, COUNT / 2);
                second.subscribe(Set.of(topic));
                share(first, second);
                int half = PARTITIONS / 2;
                Clients.check(first.assignment().size() == half && second.assignment().size() == half, "an even share");
            }
            readUntil(second, COUNT);
        }
    }

    /**
     * Polls both in turn until each owns half of the partitions: a classic member takes part in a rebalance by polling.
     */
    private void share(KafkaConsumer<byte[], byte[]> first, KafkaConsumer<byte[], byte[]> second) {
        Thread joiner = new Thread(() -> pollUntilShared(second));
        joiner.start();
        long startMs = System.currentTimeMillis();
        while (joiner.isAlive() || first.assignment().size() != PARTITIONS / 2) {
            take(first);
            Clients.checkTime(startMs, "the two members' share");
        }
    }

    private void pollUntilShared(KafkaConsumer<byte[], byte[]> consumer) {
        long startMs = System.currentTimeMillis();
        while (consumer.assignment().size() != PARTITIONS / 2) {
            take(consumer);
            Clients.checkTime(startMs, "the second member's share");
        }
    }

    private void readUntil(KafkaConsumer<byte[], byte[]> consumer, long count) {
        long startMs = System.currentTimeMillis();
        while (seen() < count) {
            take(consumer);
            Clients.checkTime(startMs, seen() + " of " + count + " records");
        }
    }

    private void take(KafkaConsumer<byte[], byte[]> consumer) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Clients.POLL)) {
            synchronized (sequence) {
                sequence.accept(record);
            }
        }
        commit(consumer);
    }

    /**
     * A commit may fail during a rebalance. The next poll takes part in the rebalance, and the next commit includes
     * these offsets.
     */
    private static void commit(KafkaConsumer<byte[], byte[]> consumer) {
        try {
            consumer.commitSync();
        } catch (org.apache.kafka.clients.consumer.CommitFailedException
                 | org.apache.kafka.common.errors.RebalanceInProgressException e) {
            System.err.println("commit deferred: " + e.getMessage());
        }
    }

    private long seen() {
        synchronized (sequence) {
            return sequence.seen();
        }
    }

    private void resume() {
        Produce.send(servers, topic, PARTITIONS, new Sequence(PARTITIONS, 50), Map.of());
        try (KafkaConsumer<byte[], byte[]> consumer = Clients.consumer(servers, settings)) {
            consumer.subscribe(Set.of(topic));
            int fresh = 0;
            long startMs = System.currentTimeMillis();
            while (fresh < PARTITIONS) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Clients.POLL)) {
                    Clients.check(record.offset() == COUNT / PARTITIONS, "resumed at " + record.offset());
                    fresh++;
                }
                Clients.checkTime(startMs, "the records after the restart");
            }
            consumer.commitSync();
        }
    }

    private void committed(String group) throws Exception {
        try (Admin admin = Clients.admin(servers)) {
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(group)
                .partitionsToOffsetAndMetadata().get();
            Map<Integer, Long> found = new TreeMap<>();
            offsets.forEach((partition, offset) -> found.put(partition.partition(), offset.offset()));
            long end = COUNT / PARTITIONS + 1;
            Clients.check(found.equals(Map.of(0, end, 1, end, 2, end, 3, end)), "committed offsets " + found);
        }
    }
}
