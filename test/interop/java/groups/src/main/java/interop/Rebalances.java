package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.config.ConfigResource;

/** Members join, leave, crash and stop polling during steady production: no record is lost or read by two members. */
final class Rebalances {
    static final int PARTITIONS = 10;
    private static final int MEMBERS = 5;
    private static final int SHORT_SESSION_MS = 2000;

    private Rebalances() {
    }

    /** The group grows to five members and shrinks to one. */
    static String scale(Scene on) throws Exception {
        on.produceOn();
        List<Member> members = new ArrayList<>();
        List<String> shares = new ArrayList<>();
        for (int number = 1; number <= MEMBERS; number++) {
            members.add(on.joining("member " + number, Map.of()));
            shares.add(settle(on, members));
        }
        while (members.size() > 1) {
            members.remove(0).close();
            shares.add(settle(on, members));
        }
        on.drain();
        String stops = on.ledger.interruptions() == 0 ? "none interrupted" : "interrupted";
        return String.join(" ", shares) + ", " + on.ledger.repeated() + " repeated, " + stops;
    }

    private static String settle(Scene on, List<Member> members) throws Exception {
        on.awaitBalance(members.toArray(new Member[0]));
        long seen = on.ledger.seen();
        on.ledger.await("records after the rebalance", () -> on.ledger.seen() > seen + PARTITIONS);
        return members.stream().map(member -> member.owned().size()).sorted().map(String::valueOf)
            .collect(Collectors.joining("+"));
    }

    /**
     * A rebalance that waits for one member: the records that other members read meanwhile, and the results of their
     * commits.
     */
    static String waiting(Scene on) throws Exception {
        on.produceOn();
        Member awake = on.joined("awake", Map.of());
        Member asleep = on.joining("asleep", Map.of());
        on.awaitBalance(awake, asleep);
        on.ledger.await("a commit", () -> !on.ledger.committed().isEmpty());
        Set<Integer> before = awake.owned();
        asleep.hold();
        Member newcomer = on.joining("newcomer", Map.of());
        String commits = committing(on, awake, before);
        String reading = "nothing";
        if (!on.protocol.isEager()) {
            long seen = on.ledger.seen();
            on.ledger.await("records amid the rebalance", () -> on.ledger.seen() > seen + PARTITIONS);
            reading = "on";
        }
        int kept = awake.owned().size();
        String keeps = kept == 0 ? "none" : kept == before.size() ? "all" : "some";
        asleep.letGo();
        on.awaitBalance(awake, asleep, newcomer);
        on.drain();
        return "commits " + commits + ", reads " + reading + " and keeps " + keeps + ", " + on.ledger.repeated()
            + " repeated";
    }

    /** Commits until the member learns of the rebalance, which differs by protocol. */
    private static String committing(Scene on, Member awake, Set<Integer> before) throws Exception {
        if (!on.protocol.isClassic()) {
            on.ledger.await("partitions given to the newcomer", () -> awake.owned().size() < before.size());
            return awake.ask(consumer -> Scene.thrown(consumer::commitSync));
        }
        if (on.protocol.isEager()) {
            on.ledger.await("all partitions given up", () -> awake.owned().isEmpty());
            var offset = on.ledger.committed().entrySet().iterator().next();
            var offsets = Map.of(on.partition(offset.getKey()), new OffsetAndMetadata(offset.getValue()));
            return awake.ask(consumer -> Scene.thrown(() -> consumer.commitSync(offsets)));
        }
        String thrown = "nothing";
        while (thrown.equals("nothing")) {
            long seen = on.ledger.seen();
            on.ledger.await("another record", () -> on.ledger.seen() > seen);
            thrown = awake.ask(consumer -> Scene.thrown(consumer::commitSync));
        }
        return thrown;
    }

    /** A process with half of the partitions is killed: the other member gets them when its session expires. */
    static String crash(Scene on) throws Exception {
        if (!on.protocol.isClassic()) {
            ConfigResource group = new ConfigResource(ConfigResource.Type.valueOf("GROUP"), on.topic);
            ConfigEntry entry = new ConfigEntry("consumer.session.timeout.ms", String.valueOf(SHORT_SESSION_MS));
            on.admin.incrementalAlterConfigs(Map.of(group, Set.of(new AlterConfigOp(entry, AlterConfigOp.OpType.SET))))
                .all().get();
        }
        on.produceOn();
        Member survivor = on.joined("survivor", Map.of());
        try (Child child = new Child(on.ledger, on.servers, on.protocol.name, on.topic, SHORT_SESSION_MS)) {
            on.ledger.await("the share of the other process", () -> child.told().startsWith("reads"));
            int left = survivor.owned().size();
            child.kill();
            on.awaitBalance(survivor);
            on.drain();
            return left + " then " + survivor.owned().size() + ", " + on.ledger.repeated() + " repeated";
        }
    }

    /** A member that does not poll for too long loses its partitions, cannot commit, and rejoins when it polls. */
    static String eviction(Scene on) throws Exception {
        on.produceOn();
        Member steady = on.joined("steady", Map.of());
        Member slow = on.joining("slow", Map.of("max.poll.interval.ms", 3000));
        on.awaitBalance(steady, slow);
        on.ledger.await("records read by the slow one", () -> on.ledger.seen(slow.name) > 0);
        slow.hold();
        Set<Integer> asleep = slow.owned();
        on.ledger.gone(slow.name);
        on.awaitBalance(steady);
        var commit = slow.begin(consumer -> Scene.thrown(consumer::commitSync));
        slow.letGo();
        String thrown = commit.get();
        on.awaitBalance(steady, slow);
        on.drain();
        return asleep.size() + " lost, " + thrown + ", " + slow.owned().size() + " again, " + on.ledger.repeated()
            + " repeated";
    }
}
