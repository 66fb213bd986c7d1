package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What a broker's group.consumer.migration.policy lets become of a group with members, and of one that all have left. */
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
     * One of another protocol comes, and the first goes; then that one comes again, or else the one who was refused. In a
     * consumer group of classic members alone a Kafka lets nobody take over before it comes.
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

    /** Tells whether it is let in, and the group with it or without. */
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
