package interop;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.SubscriptionPattern;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * consumer-groups TOPIC: a group with all kinds of members of the consumer protocol: a static one with a rack and a
 * server-side assignor, one that subscribes by pattern, one with the classic protocol. And a deleted group.
 */
final class ConsumerGroups {
    private static final int PARTITIONS = 4;
    private static final long LIMIT_MS = 60_000;
    private final String servers;
    private final String topic;

    private ConsumerGroups(String servers, String topic) {
        this.servers = servers;
        this.topic = topic;
    }

    static String run(String servers, List<String> args) throws Exception {
        ConsumerGroups task = new ConsumerGroups(servers, args.get(0));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            admin.createTopics(Set.of(new NewTopic(task.topic, PARTITIONS, (short) 1))).all().get();
            task.mixed(task.topic + "-mixed");
            String doomed = task.topic + "-doomed";
            task.doomed(doomed);
            admin.deleteConsumerGroups(Set.of(doomed)).all().get();
        }
        return "{\"groups\":2}";
    }

    private void mixed(String group) {
        try (KafkaConsumer<byte[], byte[]> fixed = consumer(group, Map.of("group.protocol", "consumer",
                 "group.instance.id", "fixed", "client.rack", "rack", "group.remote.assignor", "range"));
             KafkaConsumer<byte[], byte[]> pattern = consumer(group, Map.of("group.protocol", "consumer"));
             KafkaConsumer<byte[], byte[]> classic = consumer(group, Map.of("group.protocol", "classic",
                 "partition.assignment.strategy", "org.apache.kafka.clients.consumer.CooperativeStickyAssignor"))) {
            fixed.subscribe(Set.of(topic));
            share(List.of(fixed));
            pattern.subscribe(new SubscriptionPattern(topic + ".*"));
            share(List.of(fixed, pattern));
            classic.subscribe(Set.of(topic));
            share(List.of(fixed, pattern, classic));
        }
    }

    private void doomed(String group) {
        try (KafkaConsumer<byte[], byte[]> only = consumer(group, Map.of("group.protocol", "consumer"))) {
            only.subscribe(new SubscriptionPattern(topic + ".*"));
            share(List.of(only));
        }
    }

    /** Polls all in turn until each owns partitions and together they own all, and commits. */
    private void share(List<KafkaConsumer<byte[], byte[]>> members) {
        long startMs = System.currentTimeMillis();
        while (members.stream().anyMatch(one -> one.assignment().isEmpty())
            || members.stream().mapToInt(one -> one.assignment().size()).sum() != PARTITIONS) {
            if (System.currentTimeMillis() - startMs > LIMIT_MS) {
                throw new IllegalStateException(members.size() + " members do not share " + topic);
            }
            members.forEach(one -> one.poll(Duration.ofMillis(100)));
        }
        members.forEach(KafkaConsumer::commitSync);
    }

    private KafkaConsumer<byte[], byte[]> consumer(String group, Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(settings);
        all.put("bootstrap.servers", servers);
        all.put("group.id", group);
        all.put("auto.offset.reset", "earliest");
        all.put("enable.auto.commit", false);
        return new KafkaConsumer<>(all, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }
}
