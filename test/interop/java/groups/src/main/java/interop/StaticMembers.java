package interop;

import java.util.Map;
import java.util.Set;

/** Members with group.instance.id: they may be away for a while, and an instance id has one member. */
final class StaticMembers {
    private StaticMembers() {
    }

    /** A member restarts: it gets its partitions back, and the other member has no rebalance. */
    static String restart(Scene on) throws Exception {
        on.produceOn();
        Member first = on.joining("first", Map.of("group.instance.id", "first"));
        Member second = on.joining("second", Map.of("group.instance.id", "second"));
        on.awaitBalance(first, second);
        String result = restartOne(on, first, second);
        on.drain();
        return result + ", " + on.ledger.repeated() + " repeated";
    }

    /** The first of two members restarts with its instance id. */
    static String restartOne(Scene on, Member first, Member second) throws Exception {
        Set<Integer> before = first.owned();
        int epoch = epoch(second);
        int moves = on.ledger.count(second.name);
        first.close();
        Member again = on.joined(first.name + " again", Map.of("group.instance.id", first.name));
        on.ledger.await("records after the restart", () -> on.ledger.seen(again.name) > 0);
        return (again.owned().equals(before) ? "the same partitions" : "others: " + again.owned() + " not " + before)
            + (epoch(second) == epoch ? ", the same epoch" : ", another epoch")
            + (on.ledger.count(second.name) == moves ? ", nobody else knows" : ", the other one knows");
    }

    /** A second member with the same instance id: which of both continues depends on the protocol. */
    static String twice(Scene on) throws Exception {
        Member first = on.joined("first", Map.of("group.instance.id", "one"));
        if (on.protocol.isClassic()) {
            // The second gets the partitions of the first, which learns that by its next heartbeat.
            on.ledger.gone(first.name);
        }
        Member second = on.joining("second", Map.of("group.instance.id", "one"));
        Member refused = on.protocol.isClassic() ? first : second;
        on.ledger.await("one refused", () -> refused.failure() != null);
        on.awaitBalance(on.protocol.isClassic() ? second : first);
        on.produceOn();
        on.drain();
        return refused.name + " " + refused.failure();
    }

    private static int epoch(Member member) throws Exception {
        return member.ask(consumer -> consumer.groupMetadata().generationId());
    }
}
