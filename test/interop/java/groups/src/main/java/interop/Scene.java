package interop;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;

/** The environment of a scenario: its topic and group, their ledger, and all clients. */
final class Scene implements AutoCloseable {
    final String servers;
    final Protocol protocol;
    final String topic;
    final int partitions;
    final Ledger ledger = new Ledger();
    final Admin admin;
    private final List<Member> members = new ArrayList<>();
    private Production production;

    /** The group id is the name of the topic. */
    Scene(String servers, Protocol protocol, String topic, int partitions) throws Exception {
        this.servers = servers;
        this.protocol = protocol;
        this.topic = topic;
        this.partitions = partitions;
        this.admin = Clients.admin(servers);
        admin.createTopics(Set.of(new NewTopic(topic, partitions, (short) 1))).all().get();
    }

    /** Adds a member; returns when it has its first assignment. */
    Member joined(String name, Map<String, Object> settings) throws Exception {
        Member member = joining(name, settings);
        ledger.await(name + " with partitions", () -> !member.owned().isEmpty());
        return member;
    }

    Member joining(String name, Map<String, Object> settings) {
        return joining(name, protocol, settings);
    }

    /** A member that may use another protocol than the others. */
    Member joining(String name, Protocol own, Map<String, Object> settings) {
        Member member = new Member(ledger, name, topic, settings(own, settings));
        members.add(member);
        return member;
    }

    /** The settings of a member with additions. */
    private Map<String, Object> settings(Protocol own, Map<String, Object> more) {
        Map<String, Object> all = new HashMap<>(own.settings());
        all.putAll(Map.of("bootstrap.servers", servers, "group.id", topic, "interceptor.classes",
            CommitWatch.class.getName(), CommitWatch.LEDGER, ledger));
        all.putAll(more);
        return all;
    }

    /** A consumer outside of the ledger, in the calling thread. */
    KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> settings) {
        Map<String, Object> all = new HashMap<>(protocol.settings());
        all.putAll(Map.of("bootstrap.servers", servers, "group.id", topic));
        all.putAll(settings);
        return Clients.consumer(all);
    }

    void produceOn() {
        production = new Production(ledger, servers, topic, partitions);
    }

    /** Stops production and waits until all records are read; returns their number. */
    long drain() throws Exception {
        long each = production.end();
        ledger.await(each + " records of each partition", () -> readAll(each));
        return each * partitions;
    }

    private boolean readAll(long each) {
        Map<Integer, Long> read = ledger.read();
        return read.size() == partitions && read.values().stream().allMatch(next -> next == each);
    }

    /** Sends a record for each value to this partition; all are acknowledged. */
    void send(int partition, String... values) throws Exception {
        try (KafkaProducer<byte[], byte[]> producer = Clients.producer(servers)) {
            for (String value : values) {
                producer.send(new ProducerRecord<>(topic, partition, null, value.getBytes())).get();
            }
        }
    }

    TopicPartition partition(int number) {
        return new TopicPartition(topic, number);
    }

    /** Waits until these members own equal shares, and together all partitions. */
    void awaitBalance(Member... those) throws Exception {
        String names = java.util.Arrays.stream(those).map(one -> one.name).collect(Collectors.joining(", "));
        ledger.await("an even share of " + names, () -> {
            int total = 0;
            for (Member member : those) {
                int size = member.owned().size();
                if (size < partitions / those.length) {
                    return false;
                }
                total += size;
            }
            return total == partitions;
        });
    }

    /** Name of the exception that the step throws. */
    static String thrown(Attempt step) {
        try {
            step.run();
            return "nothing";
        } catch (ExecutionException e) {
            return e.getCause().getClass().getSimpleName();
        } catch (Exception e) {
            return e.getClass().getSimpleName();
        }
    }

    interface Attempt {
        void run() throws Exception;
    }

    @Override
    public void close() throws Exception {
        if (production != null) {
            production.end();
        }
        members.forEach(Member::close);
        admin.close();
    }
}
