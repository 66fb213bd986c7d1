package interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.ConsumerGroupDescription;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.apache.kafka.common.ConsumerGroupState;

/**
 * A group migrates from the classic protocol to the consumer protocol, member by member, and back, during steady
 * production. The outcome is the type of the group and the protocols of its members at each stage.
 */
final class Migration {
    private static final int MEMBERS = 3;
    /** Maximum number of polls until a rebalance is complete. */
    private static final int LOOKS = 200;
    private static final Protocol CONSUMER = new Protocol("consumer");
    private final Scene on;
    private final boolean isStatic;
    private final boolean isSlow;
    private final Member[] members = new Member[MEMBERS];
    private final List<String> stages = new ArrayList<>();
    private int epoch;

    private Migration(Scene on, boolean isStatic, boolean isSlow) {
        this.on = on;
        this.isStatic = isStatic;
        this.isSlow = isSlow;
    }

    /** Each member rejoins before the other members notice that it left. */
    static String atOnce(Scene on) throws Exception {
        return new Migration(on, false, false).run();
    }

    /** The other members take over its partitions before a member rejoins. */
    static String slow(Scene on) throws Exception {
        return new Migration(on, false, true).run();
    }

    /** Static members, whose partitions no other member takes over. */
    static String ofStatic(Scene on) throws Exception {
        return new Migration(on, true, false).run();
    }

    private String run() throws Exception {
        on.produceOn();
        for (int place = 0; place < MEMBERS; place++) {
            members[place] = member(place, on.protocol);
        }
        settle();
        for (Protocol next : List.of(CONSUMER, on.protocol)) {
            for (int place = 0; place < MEMBERS; place++) {
                restart(place, next);
                settle();
            }
        }
        on.drain();
        stages.add(on.ledger.repeated() + " repeated");
        return String.join("\n", stages);
    }

    private Member member(int place, Protocol protocol) {
        Map<String, Object> settings = isStatic ? Map.of("group.instance.id", "instance-" + place) : Map.of();
        return on.joining("member " + place + " (" + protocol.name + ")", protocol, settings);
    }

    private void restart(int place, Protocol protocol) throws Exception {
        members[place].close();
        if (isSlow) {
            on.awaitBalance(Arrays.stream(members).filter(one -> one != members[place]).toArray(Member[]::new));
        }
        members[place] = member(place, protocol);
    }

    /** Waits until each partition is consumed further, by the group in its current type. */
    private void settle() throws Exception {
        int reached = settled(on, members);
        Map<Integer, Long> before = on.ledger.read();
        on.ledger.await("records of every partition", () -> on.ledger.read().entrySet().stream()
            .allMatch(next -> next.getValue() > before.getOrDefault(next.getKey(), 0L)));
        if (reached < epoch) {
            throw new IllegalStateException("epoch " + reached + " after " + epoch);
        }
        epoch = reached;
        stages.add(seen(on));
    }

    /**
     * Waits until all members have their share and the same epoch; returns the epoch. A member that closes during a
     * rebalance may fail to commit; and a member with an old epoch loses its partitions when the group becomes classic,
     * because its epoch is no valid generation.
     */
    static int settled(Scene on, Member... members) throws Exception {
        on.awaitBalance(members);
        for (int look = 0; look < LOOKS; look++) {
            boolean isStable = group(on).state() == ConsumerGroupState.STABLE;
            Set<Integer> epochs = new HashSet<>();
            for (Member member : members) {
                epochs.add(member.ask(consumer -> consumer.groupMetadata().generationId()));
            }
            if (isStable && epochs.size() == 1) {
                return epochs.iterator().next();
            }
        }
        throw new TimeoutException("gave up waiting for one epoch");
    }

    /** The group in the description of an Admin: its type and the protocols of its members. */
    static String seen(Scene on) throws Exception {
        return listed(on) + ": " + described(on);
    }

    private static String listed(Scene on) throws Exception {
        for (ConsumerGroupListing group : on.admin.listConsumerGroups().all().get()) {
            if (group.groupId().equals(on.topic)) {
                return ((Optional<?>) told(group, "type")).map(String::valueOf).orElse("none");
            }
        }
        return "none";
    }

    /** The protocol of each member, which the description of a classic group does not contain. */
    private static String described(Scene on) throws Exception {
        List<String> protocols = new ArrayList<>();
        for (var member : group(on).members()) {
            protocols.add(((Optional<?>) told(member, "upgraded")).map(is -> is.equals(true) ? "consumer" : "classic")
                .orElse("-"));
        }
        Collections.sort(protocols);
        return String.join(" ", protocols);
    }

    private static ConsumerGroupDescription group(Scene on) throws Exception {
        return on.admin.describeConsumerGroups(List.of(on.topic)).all().get().get(on.topic);
    }

    /** Calls a getter that only clients since 4.0 have; this program is also compiled with older ones. */
    private static Object told(Object of, String what) throws ReflectiveOperationException {
        return of.getClass().getMethod(what).invoke(of);
    }
}
