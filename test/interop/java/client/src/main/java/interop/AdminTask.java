package interop;

import static interop.Clients.check;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.CreateTopicsOptions;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeClusterResult;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidConfigurationException;
import org.apache.kafka.common.errors.InvalidPartitionsException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** admin TOPIC: creates, changes and deletes a topic, with the errors that each step can cause. */
final class AdminTask {
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private final String servers;
    private final Admin admin;
    private final String topic;
    private final TopicPartition first;

    private AdminTask(String servers, Admin admin, String topic) {
        this.servers = servers;
        this.admin = admin;
        this.topic = topic;
        this.first = new TopicPartition(topic, 0);
    }

    static String run(String servers, List<String> args) throws Exception {
        try (Admin admin = Clients.admin(servers)) {
            AdminTask task = new AdminTask(servers, admin, args.get(0));
            task.cluster();
            task.create();
            task.configs();
            task.partitions();
            task.records();
            task.delete();
        }
        return "{\"admin\":\"ok\"}";
    }

    private void cluster() throws Exception {
        DescribeClusterResult cluster = admin.describeCluster();
        check(!cluster.nodes().get().isEmpty(), "a node");
        check(cluster.clusterId().get() != null, "a cluster id");
        check(cluster.controller().get() != null, "a controller");
    }

    private void create() throws Exception {
        NewTopic wanted = new NewTopic(topic, 2, (short) 1).configs(Map.of("retention.ms", "3600000"));
        admin.createTopics(Set.of(wanted), new CreateTopicsOptions().validateOnly(true)).all().get();
        check(!admin.listTopics().names().get().contains(topic), "validate-only must not create");
        CreateTopicsResult created = admin.createTopics(Set.of(wanted));
        check(created.numPartitions(topic).get() == 2, "two partitions");
        check("3600000".equals(created.config(topic).get().get("retention.ms").value()), "the config in the answer");
        fails(TopicExistsException.class, admin.createTopics(Set.of(wanted)).all());
        fails(InvalidTopicException.class, admin.createTopics(Set.of(new NewTopic("a b", 1, (short) 1))).all());
        fails(InvalidConfigurationException.class, admin.createTopics(
            Set.of(new NewTopic(topic + "-bad", 1, (short) 1).configs(Map.of("no.such", "1")))).all());
        eventually("the description", () -> describe().get(topic).partitions().get(0).leader() != null);
        TopicDescription description = describe().get(topic);
        check(description.partitions().size() == 2 && !description.isInternal(), "the description");
        check(admin.listTopics().names().get().contains(topic), "the topic in the list");
    }

    private void configs() throws Exception {
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        alter(resource, "max.message.bytes", "2000000", AlterConfigOp.OpType.SET);
        alter(resource, "cleanup.policy", "compact", AlterConfigOp.OpType.APPEND);
        alter(resource, "retention.ms", null, AlterConfigOp.OpType.DELETE);
        eventually("the default again", () ->
            configOf(resource).get("retention.ms").source() == ConfigEntry.ConfigSource.DEFAULT_CONFIG);
        Config config = configOf(resource);
        check("2000000".equals(config.get("max.message.bytes").value()), "the altered value");
        check("delete,compact".equals(config.get("cleanup.policy").value()), config.get("cleanup.policy").value());
        alter(resource, "cleanup.policy", "compact", AlterConfigOp.OpType.SUBTRACT);
        fails(InvalidConfigurationException.class, admin.incrementalAlterConfigs(
            Map.of(resource, Set.of(op("retention.ms", "never", AlterConfigOp.OpType.SET)))).all());
        String node = admin.describeCluster().nodes().get().iterator().next().idString();
        ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, node);
        check(configOf(broker).get("log.retention.hours") != null, "the broker's settings");
    }

    private void partitions() throws Exception {
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(4))).all().get();
        eventually("four partitions", () -> describe().get(topic).partitions().size() == 4);
        fails(InvalidPartitionsException.class,
            admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all());
        fails(UnknownTopicOrPartitionException.class,
            admin.createPartitions(Map.of(topic + "-none", NewPartitions.increaseTo(2))).all());
    }

    private void records() throws Exception {
        Produce.send(servers, topic, 40, new Sequence(4, 20), Map.of());
        check(offset(OffsetSpec.earliest()) == 0 && offset(OffsetSpec.latest()) == 10, "ten records");
        check(offset(OffsetSpec.forTimestamp(0)) == 0, "the offset of a time");
        check(offset(OffsetSpec.forTimestamp(Long.MAX_VALUE)) == -1, "no offset in the future");
        long low = admin.deleteRecords(Map.of(first, RecordsToDelete.beforeOffset(6))).lowWatermarks().get(first).get()
            .lowWatermark();
        check(low == 6 && offset(OffsetSpec.earliest()) == 6, "the log start moved");
    }

    private void delete() throws Exception {
        admin.deleteTopics(Set.of(topic)).all().get();
        eventually("the topic is gone", () -> !admin.listTopics().names().get().contains(topic));
        fails(UnknownTopicOrPartitionException.class, admin.deleteTopics(Set.of(topic)).all());
    }

    private Config configOf(ConfigResource resource) throws Exception {
        return admin.describeConfigs(Set.of(resource)).all().get().get(resource);
    }

    private long offset(OffsetSpec spec) throws Exception {
        return admin.listOffsets(Map.of(first, spec)).all().get().get(first).offset();
    }

    private void alter(ConfigResource resource, String name, String value, AlterConfigOp.OpType type) throws Exception {
        admin.incrementalAlterConfigs(Map.of(resource, Set.of(op(name, value, type)))).all().get();
    }

    private static AlterConfigOp op(String name, String value, AlterConfigOp.OpType type) {
        return new AlterConfigOp(new ConfigEntry(name, value), type);
    }

    /** 3.1 renamed all() to allTopicNames(), and 4.0 removed the old name. */
    @SuppressWarnings("unchecked")
    private Map<String, TopicDescription> describe() throws Exception {
        DescribeTopicsResult result = admin.describeTopics((Collection<String>) Set.of(topic));
        String name = List.of(result.getClass().getMethods()).stream().map(java.lang.reflect.Method::getName)
            .filter("allTopicNames"::equals).findAny().orElse("all");
        return ((KafkaFuture<Map<String, TopicDescription>>) result.getClass().getMethod(name).invoke(result)).get();
    }

    interface Probe {
        boolean holds() throws Exception;
    }

    /** Repeats a check until it passes: Kafka's broker learns of a change after its controller. */
    private static void eventually(String what, Probe probe) throws Exception {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!holds(probe)) {
            check(System.nanoTime() < deadline, what);
        }
    }

    private static boolean holds(Probe probe) throws Exception {
        try {
            return probe.holds();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof UnknownTopicOrPartitionException) {
                return false;
            }
            throw e;
        }
    }

    private static void fails(Class<? extends Exception> expected, KafkaFuture<?> future) throws Exception {
        try {
            future.get();
        } catch (ExecutionException e) {
            if (expected.isInstance(e.getCause())) {
                return;
            }
            throw e;
        }
        throw new IllegalStateException("should have failed with " + expected.getSimpleName());
    }
}
