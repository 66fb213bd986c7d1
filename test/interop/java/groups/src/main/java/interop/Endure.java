package interop;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.LockSupport;

/**
 * endure PREFIX: a group of dynamic members and a group of static members keep running while brokers restart. Prints
 * the number of records that both have read after each hundred, and ends when stdin has a line. An Admin checks all the
 * time that committed offsets are never below the acknowledged ones; at the end all records must be committed.
 */
final class Endure {
    private static final int MEMBERS = 3;
    private static final int STEP = 100;
    private static final long PACE_NS = 20_000_000;

    private Endure() {
    }

    static String run(String servers, Protocol protocol, List<String> args) throws Exception {
        try (Scene dynamic = new Scene(servers, protocol, args.get(0) + "-dynamic", Rebalances.PARTITIONS);
             Scene fixed = new Scene(servers, protocol, args.get(0) + "-static", Rebalances.PARTITIONS)) {
            List<Member> first = begin(dynamic, false);
            List<Member> second = begin(fixed, true);
            int moves = moves(dynamic, first) + moves(fixed, second);
            live(List.of(dynamic, fixed));
            if (moves(dynamic, first) + moves(fixed, second) > moves) {
                throw new IllegalStateException("partitions moved\n" + dynamic.ledger.story() + "\n\n" + fixed.ledger.story());
            }
            String restarted = StaticMembers.restartOne(fixed, second.get(0), second.get(1));
            long read = readAll(dynamic) + readAll(fixed);
            long repeated = dynamic.ledger.repeated() + fixed.ledger.repeated();
            return String.format("{\"read\":%d,\"repeated\":%d,\"restarted\":\"%s\"}", read, repeated, restarted);
        }
    }

    private static List<Member> begin(Scene on, boolean isStatic) throws Exception {
        on.produceOn();
        List<Member> members = new ArrayList<>();
        for (int number = 0; number < MEMBERS; number++) {
            String name = "member-" + number;
            members.add(on.joining(name, isStatic ? Map.of("group.instance.id", name) : Map.of()));
        }
        on.awaitBalance(members.toArray(new Member[0]));
        return members;
    }

    private static int moves(Scene on, List<Member> members) {
        return members.stream().mapToInt(member -> on.ledger.count(member.name)).sum();
    }

    private static void live(List<Scene> scenes) throws Exception {
        for (long told = 0; System.in.available() == 0;) {
            long seen = Long.MAX_VALUE;
            for (Scene on : scenes) {
                checkCommitted(on);
                on.ledger.check();
                seen = Math.min(seen, on.ledger.seen());
            }
            if (seen / STEP > told / STEP) {
                told = seen;
                System.out.println(told);
                System.out.flush();
            }
            LockSupport.parkNanos(PACE_NS);
        }
    }

    private static long readAll(Scene on) throws Exception {
        long read = on.drain();
        on.ledger.await("all of it committed", () -> on.ledger.committed().equals(on.ledger.read()));
        checkCommitted(on);
        return read;
    }

    private static void checkCommitted(Scene on) throws Exception {
        Map<Integer, Long> acknowledged = on.ledger.committed();
        Map<Integer, Long> stored = new TreeMap<>();
        on.admin.listConsumerGroupOffsets(on.topic).partitionsToOffsetAndMetadata().get()
            .forEach((partition, offset) -> stored.put(partition.partition(), offset.offset()));
        acknowledged.forEach((partition, offset) -> {
            if (stored.getOrDefault(partition, -1L) < offset) {
                throw new IllegalStateException(on.topic + " " + partition + ": acknowledged " + offset + ", stored "
                    + stored.get(partition) + "\n" + on.ledger.story());
            }
        });
    }
}
