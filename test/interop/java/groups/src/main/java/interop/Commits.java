package interop;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;

/** The ways to commit: sync, async, automatic, with offsets of one's own and words beside them. */
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
            seen.append(", async ").append(async(reader));
            seen.append(" ").append(committed(reader, first));
            reader.until("the end", () -> reader.consumer.position(first) == 4);
            reader.consumer.commitAsync();
        }
        try (Reader reader = Reader.subscribed(on, Map.of())) {
            seen.append(", before the close ").append(committed(reader, first));
        }
        return seen.toString();
    }

    /** Two at a time: what the callbacks are told, in order. */
    private static String async(Reader reader) throws Exception {
        AtomicReference<String> told = new AtomicReference<>("");
        Map<Integer, String> words = Map.of(0, "one", 1, "two");
        for (int number = 0; number < words.size(); number++) {
            String word = words.get(number);
            reader.consumer.commitAsync((offsets, error) -> told.accumulateAndGet(error == null ? word : error.toString(),
                (before, next) -> (before + " " + next).trim()));
        }
        reader.until("two callbacks", () -> told.get().contains("two"));
        return told.get();
    }

    private static String committed(Reader reader, TopicPartition partition) {
        OffsetAndMetadata offset = reader.consumer.committed(Set.of(partition)).get(partition);
        return offset == null ? "nothing" : offset.offset() + offset.metadata();
    }

    /** Automatic commits: by the clock, and when the consumer closes. */
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

    /** Members that commit automatically come and go: what the one has committed is where the next begins. */
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
