package interop;

import java.util.HashMap;
import java.util.Map;

/** The group protocol: `consumer`, or the name of a classic assignor. */
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

    /** Whether every rebalance revokes all partitions of all members (eager protocol). */
    boolean isEager() {
        return isClassic() && !name.startsWith("cooperative");
    }

    /** The settings of a member. With the consumer protocol the broker has the other settings. */
    Map<String, Object> settings() {
        Map<String, Object> all = new HashMap<>();
        if (isClassic()) {
            String assignor = ASSIGNORS.get(name);
            if (assignor == null) {
                throw new IllegalArgumentException("no such protocol: " + name);
            }
            all.put("partition.assignment.strategy", "org.apache.kafka.clients.consumer." + assignor);
            all.put("heartbeat.interval.ms", 200);
            // Long timeouts, so that members do not expire on a busy machine.
            all.put("session.timeout.ms", 30_000);
        } else {
            all.put("group.protocol", "consumer");
        }
        return all;
    }
}
