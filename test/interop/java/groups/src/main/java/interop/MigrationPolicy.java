package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The effect of the broker's group.consumer.migration.policy on a group with members, and on an empty one. */
final class MigrationPolicy {
    private static final Protocol CONSUMER = new Protocol("consumer");
    private final Scene on;
    private final List<Member> members = new ArrayList<>();
    private final List<String> told = new ArrayList<>();

    private MigrationPolicy(Scene on) {
        this.on = on;
    }

    static String toConsumer(Scene on) throws Exception {
        return new MigrationPolicy(on).run(on.protocol, CONSUMER);
    }

    static String toClassic(Scene on) throws Exception {
        return new MigrationPolicy(on).run(CONSUMER, on.protocol);
    }

    /**
     * A member of the other protocol joins, and the first member leaves. Then the first one joins again; or, if the
     * second was refused, the second one does. In Kafka, a consumer group with only classic members does not rebalance
     * before that join.
     */
    private String run(Protocol from, Protocol to) throws Exception {
        on.produceOn();
        come("first", from);
        boolean isIn = come("second", to);
        members.remove(0).close();
        told.add("first is gone, " + Migration.seen(on));
        if (isIn) {
            come("first again", from);
        } else {
            come("second again", to);
        }
        on.drain();
        told.add(on.ledger.repeated() + " repeated");
        return String.join("\n", told);
    }

    /** Whether the member is accepted; records the group after that. */
    private boolean come(String name, Protocol protocol) throws Exception {
        Member member = on.joining(name, protocol, Map.of());
        on.ledger.await("an answer to " + name, () -> member.failure() != null || !member.owned().isEmpty());
        boolean isIn = member.failure() == null;
        if (isIn) {
            members.add(member);
        }
        Migration.settled(on, members.toArray(new Member[0]));
        told.add(name + " " + (isIn ? "is in" : member.failure()) + ", " + Migration.seen(on));
        return isIn;
    }
}
