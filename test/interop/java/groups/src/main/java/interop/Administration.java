package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.apache.kafka.clients.admin.MemberDescription;
import org.apache.kafka.clients.admin.MemberToRemove;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/** Admin requests for a group, from its first member to its deletion. */
final class Administration {
    private final Scene on;
    private final List<String> seen = new ArrayList<>();

    private Administration(Scene on) {
        this.on = on;
    }

    static String run(Scene on) throws Exception {
        Administration task = new Administration(on);
        task.living();
        task.empty();
        return String.join("\n", task.seen);
    }

    private void living() throws Exception {
        Member first = on.joining("first", Map.of("group.instance.id", "one", "client.id", "first"));
        Member second = on.joining("second", Map.of("client.id", "second"));
        on.awaitBalance(first, second);
        on.send(0, "a", "b");
        on.ledger.await("commits", () -> on.ledger.committed().getOrDefault(0, 0L) == 2);
        seen.add("listed " + listed());
        ConsumerGroupDescription group = described();
        seen.add("described " + group.state() + " " + group.partitionAssignor() + " "
            + group.members().stream().map(Administration::line).sorted().collect(Collectors.joining(", ")));
        seen.add("deleted " + delete());
        seen.add("altered " + alter(0, 0));
        seen.add("offsets deleted " + deleteOffset(0));
        seen.add("offset " + offsets().get(0));
        seen.add("nobody removed " + remove("nobody"));
        // A removed member learns of its removal by its next heartbeat, when another member may already own its
        // partitions.
        on.ledger.gone(first.name);
        on.ledger.gone(second.name);
        on.admin.removeMembersFromConsumerGroup(on.topic, new RemoveMembersFromConsumerGroupOptions()).all().get();
        on.ledger.await("both out", () -> on.ledger.lost(first.name) > 0 && on.ledger.lost(second.name) > 0);
        on.awaitBalance(first, second);
        first.awaitPositions();
        second.awaitPositions();
        second.close();
        first.close();
        seen.add("the static one stays: " + described().members().size());
        seen.add("removed " + remove("one"));
    }

    private void empty() throws Exception {
        ConsumerGroupDescription group = described();
        // Each member committed its position in each of its partitions when it left.
        seen.add("described " + group.state() + " " + group.members().size() + ", offsets " + offsets());
        seen.add("altered " + alter(0, 1) + " " + alter(1, 0) + ", offset " + offsets().get(0));
        try (Reader reader = Reader.subscribed(on, Map.of())) {
            seen.add("read on: " + reader.read(1));
        }
        seen.add("offsets deleted " + deleteOffset(1) + " " + deleteOffset(2) + ", offsets " + offsets());
        seen.add("deleted " + delete());
        seen.add("listed " + listed() + ", offsets " + offsets());
        seen.add("deleted " + delete());
    }

    private static String line(MemberDescription member) {
        return member.clientId() + " " + member.groupInstanceId().orElse("-") + " "
            + member.assignment().topicPartitions().size() + (member.host().startsWith("/") ? "" : " " + member.host())
            + (member.consumerId().isEmpty() ? " no id" : "");
    }

    private String listed() throws Exception {
        return on.admin.listConsumerGroups().all().get().stream().filter(one -> one.groupId().equals(on.topic))
            .map(Administration::line).collect(Collectors.joining(", "));
    }

    private static String line(ConsumerGroupListing listing) {
        return listing.state().map(String::valueOf).orElse("-") + (listing.isSimpleConsumerGroup() ? " simple" : "");
    }

    private ConsumerGroupDescription described() throws Exception {
        return on.admin.describeConsumerGroups(Set.of(on.topic)).describedGroups().get(on.topic).get();
    }

    private String delete() {
        return Scene.thrown(() -> on.admin.deleteConsumerGroups(Set.of(on.topic)).all().get());
    }

    private String alter(int partition, long offset) {
        return Scene.thrown(() -> on.admin.alterConsumerGroupOffsets(on.topic,
            Map.of(on.partition(partition), new OffsetAndMetadata(offset))).all().get());
    }

    private String deleteOffset(int partition) {
        return Scene.thrown(() -> on.admin.deleteConsumerGroupOffsets(on.topic, Set.of(on.partition(partition)))
            .partitionResult(on.partition(partition)).get());
    }

    private String remove(String instance) {
        return Scene.thrown(() -> on.admin.removeMembersFromConsumerGroup(on.topic,
            new RemoveMembersFromConsumerGroupOptions(Set.of(new MemberToRemove(instance)))).memberResult(
                new MemberToRemove(instance)).get());
    }

    private Map<Integer, Long> offsets() throws InterruptedException, ExecutionException {
        Map<Integer, Long> found = new TreeMap<>();
        on.admin.listConsumerGroupOffsets(on.topic).partitionsToOffsetAndMetadata().get()
            .forEach((partition, offset) -> found.put(partition.partition(), offset.offset()));
        return found;
    }
}
