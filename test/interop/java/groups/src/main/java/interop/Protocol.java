package interop;

import java.util.HashMap;
import java.util.Map;

/** How the members of a group agree on who reads what: `consumer`, or the name of a classic assignor. */
final class Protocol {
    private static final Map<String, String> ASSIGNORS = Map.of(
        "range", "RangeAssignor",
        "roundrobin", "RoundRobinAssignor",
        "sticky", "StickyAssignor",
        "cooperative-sticky", "CooperativeStickyAssignor");
    final String name;

    Protocol(String name) {
        this.name = name;
    }

    boolean isClassic() {
        return !"consumer".equals(name);
    }

    /** Whether every rebalance takes all partitions from all members. */
    boolean isEager() {
        return isClassic() && !name.startsWith("cooperative");
    }

    /** What a member is told; with the consumer protocol the broker decides about the rest. */
    Map<String, Object> settings() {
        Map<String, Object> all = new HashMap<>();
        if (isClassic()) {
            String assignor = ASSIGNORS.get(name);
            if (assignor == null) {
                throw new IllegalArgumentException("no such protocol: " + name);
            }
            all.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
            all.put("heartbeat.interval.ms", 200);
            // A machine with much to do must not lose members by chance.
            all.put("session.timeout.ms", 30_000);
        } else {
            all.put("group.protocol", "consumer");
        }
        return all;
    }
}
