package interop;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** All kinds of commits: sync, async, automatic, with explicit offsets and metadata. */
final class Commits {
    private Commits() {
    }

    static String commits(Scene on) throws Exception {
        on.send(0, "a", "b", "c", "d");
        TopicPartition first = on.partition(0);
        StringBuilder seen = new StringBuilder();
        try (Reader reader = Reader.subscribed(on, Map.of("max.poll.records", 1))) {
            seen.append(committed(reader, first));
            reader.read(1);
            reader.consumer.commitSync();
            seen.append(", sync ").append(committed(reader, first));
            reader.consumer.commitSync(Map.of(first, new OffsetAndMetadata(3, "as told")));
            seen.append(", told ").append(committed(reader, first));
            seen.append(", async ").append(async(reader, first, on.protocol.isClassic()));
            seen.append(" ").append(committed(reader, first));
            reader.until("the end", () -> reader.consumer.position(first) == 4);
            reader.consumer.commitAsync();
        }
        try (Reader reader = Reader.subscribed(on, Map.of())) {
            seen.append(", before the close ").append(committed(reader, first));
        }
        return seen.toString();
    }

    /**
     * The order of the callbacks of two asynchronous commits with different metadata. The client promises the order of
     * the calls. Clients with the classic protocol can break it, 4.3 as well as 2.8, with a real Kafka too: the
     * heartbeat thread and the polling thread take completed responses from one queue without a lock
     * (ConsumerNetworkClient.firePendingCompletedRequests), so the thread with the second response may queue its
     * callback first. So callbacks of classic clients are sorted here. The committed offset shows the order in the
     * broker: it is that of the second commit.
     */
    private static String async(Reader reader, TopicPartition partition, boolean isClassic) throws Exception {
        List<String> callbacks = new ArrayList<>();
        for (String metadata : List.of("one", "two")) {
            reader.consumer.commitAsync(Map.of(partition, new OffsetAndMetadata(1, metadata)),
                (offsets, error) -> callbacks.add(error == null ? metadata : error.toString()));
        }
        reader.until("two callbacks", () -> callbacks.size() == 2);
        if (isClassic) {
            Collections.sort(callbacks);
        }
        return String.join(" ", callbacks);
    }

    private static String committed(Reader reader, TopicPartition partition) {
        OffsetAndMetadata offset = reader.consumer.committed(Set.of(partition)).get(partition);
        return offset == null ? "nothing" : offset.offset() + offset.metadata();
    }

    /** Automatic commits: periodic, and when the consumer closes. */
    static String automatic(Scene on) throws Exception {
        on.send(0, "a", "b");
        TopicPartition first = on.partition(0);
        StringBuilder seen = new StringBuilder();
        try (Reader other = Reader.assigned(on, List.of(first), Map.of())) {
            Map<String, Object> soon = Map.of("enable.auto.commit", true, "auto.commit.interval.ms", 100);
            try (Reader reader = Reader.subscribed(on, soon)) {
                reader.read(2);
                reader.until("a commit by the clock", () -> committed(other, first).equals("2"));
                seen.append("by the clock ").append(committed(other, first));
            }
            on.send(0, "c");
            Map<String, Object> late = Map.of("enable.auto.commit", true, "auto.commit.interval.ms", 600_000);
            try (Reader reader = Reader.subscribed(on, late)) {
                reader.read(1);
                seen.append(", meanwhile ").append(committed(other, first));
            }
            return seen.append(", at the close ").append(committed(other, first)).toString();
        }
    }

    /** Members with automatic commits join and leave: the next member starts at the committed offset. */
    static String handover(Scene on) throws Exception {
        on.produceOn();
        Map<String, Object> settings = Map.of("enable.auto.commit", true, "auto.commit.interval.ms", 100);
        Member first = on.joined("first", settings);
        Member second = on.joining("second", settings);
        on.awaitBalance(first, second);
        long seen = on.ledger.seen(second.name);
        on.ledger.await("records of the second", () -> on.ledger.seen(second.name) > seen);
        first.close();
        on.awaitBalance(second);
        on.drain();
        second.close();
        return new TreeMap<>(on.ledger.committed()).equals(on.ledger.read()) ? "all committed"
            : "committed " + on.ledger.committed() + " of " + on.ledger.read();
    }
}
