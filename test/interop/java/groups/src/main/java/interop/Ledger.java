package interop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * The events of all members of a group in one order, and the rules that they must follow: a partition has one owner at
 * a time, only its owner reads it, no record is skipped, an owner starts at or after the last committed offset. Waits
 * of the program are conditions on the ledger; a wait that times out prints all events.
 */
final class Ledger {
    private static final long LIMIT_MS = Long.getLong("limit.ms", 60_000);
    private final long startNs = System.nanoTime();
    private final List<String> story = new ArrayList<>();
    private final Map<Integer, String> owners = new TreeMap<>();
    private final Map<Integer, String> lastOwners = new TreeMap<>();
    private final Map<Integer, Long> read = new TreeMap<>();
    private final Map<Integer, Long> committed = new TreeMap<>();
    /**
     * Partitions whose owner has not read yet, so that its first offset may be any between the committed one and the
     * next.
     */
    private final Set<Integer> fresh = new HashSet<>();
    /** Partitions that were revoked without a commit: the next owner reads some of their records again. */
    private final Set<Integer> uncommitted = new HashSet<>();
    private final List<String> violations = new ArrayList<>();
    private final Map<String, Long> seen = new TreeMap<>();
    private long repeated;
    private int interruptions;

    synchronized void note(String line) {
        story.add(String.format("%6d ms %s", (System.nanoTime() - startNs) / 1_000_000, line));
        notifyAll();
    }

    synchronized void assigned(String member, Collection<Integer> partitions) {
        note(member + " is assigned " + new TreeSet<>(partitions));
        for (int partition : partitions) {
            String other = owners.put(partition, member);
            if (other != null) {
                violate(member + " is assigned " + partition + ", which " + other + " owns");
            }
            if (member.equals(lastOwners.put(partition, member))) {
                interruptions++;
            }
            fresh.add(partition);
        }
    }

    synchronized void released(String member, String how, Collection<Integer> partitions) {
        note(member + " has " + how + " " + new TreeSet<>(partitions));
        partitions.forEach(partition -> owners.remove(partition, member));
    }

    /** Removes all partitions of a member that has lost them without a callback. */
    synchronized void gone(String member) {
        note(member + " is gone with " + owned(member));
        owners.values().removeIf(member::equals);
    }

    synchronized void read(String member, int partition, long offset) {
        if (!member.equals(owners.get(partition))) {
            violate(member + " reads " + partition + " at " + offset + ", which " + owners.get(partition) + " owns");
        }
        long next = read.getOrDefault(partition, 0L);
        long least = fresh.remove(partition) ? committed.getOrDefault(partition, 0L) : next;
        if (offset > next || offset < least) {
            violate(member + " reads " + partition + " at " + offset + ", not " + least + " to " + next);
        }
        if (offset >= next) {
            uncommitted.remove(partition);
        } else if (!uncommitted.contains(partition)) {
            repeated++;
        }
        seen.merge(member, 1L, Long::sum);
        read.put(partition, offset + 1);
        notifyAll();
    }

    synchronized void committed(int partition, long offset) {
        if (offset < committed.getOrDefault(partition, 0L)) {
            violate(partition + " is committed at " + offset + " after " + committed.get(partition));
        }
        committed.put(partition, offset);
        notifyAll();
    }

    /** The broker refused the commit before the revocation of these partitions. */
    synchronized void uncommitted(Collection<Integer> partitions) {
        uncommitted.addAll(partitions);
    }

    synchronized void failed(String member, Throwable error) {
        StringWriter trace = new StringWriter();
        error.printStackTrace(new PrintWriter(trace));
        violate(member + " failed: " + trace);
    }

    private void violate(String what) {
        violations.add(what);
        note("WRONG: " + what);
    }

    synchronized Set<Integer> owned(String member) {
        Set<Integer> all = new TreeSet<>();
        owners.forEach((partition, owner) -> {
            if (owner.equals(member)) {
                all.add(partition);
            }
        });
        return all;
    }

    /** Number of records read by all members; by one of them; and repeated although they were committed. */
    synchronized long seen() {
        return seen.values().stream().mapToLong(Long::longValue).sum();
    }

    synchronized long seen(String member) {
        return seen.getOrDefault(member, 0L);
    }

    synchronized long repeated() {
        return repeated;
    }

    /** Number of times that a member got partitions back that it had just revoked. */
    synchronized int interruptions() {
        return interruptions;
    }

    /** Number of assignments and revocations of the member. */
    synchronized int count(String member) {
        return (int) story.stream().filter(line -> !line.endsWith(" []") && (line.contains(" ms " + member + " is assigned")
            || line.contains(" ms " + member + " has revoked") || line.contains(" ms " + member + " has lost"))).count();
    }

    /** Number of onPartitionsLost callbacks of the member. */
    synchronized int lost(String member) {
        return (int) story.stream().filter(line -> line.contains(" ms " + member + " has lost")).count();
    }

    synchronized Map<Integer, Long> read() {
        return new TreeMap<>(read);
    }

    synchronized Map<Integer, Long> committed() {
        return new TreeMap<>(committed);
    }

    /** Waits until the condition holds; it is checked after each event. */
    synchronized void await(String what, BooleanSupplier holds) throws Exception {
        note("waits for " + what);
        long deadline = System.nanoTime() + LIMIT_MS * 1_000_000;
        check();
        while (!holds.getAsBoolean()) {
            long leftMs = (deadline - System.nanoTime()) / 1_000_000;
            if (leftMs <= 0) {
                throw new TimeoutException("gave up waiting for " + what);
            }
            wait(leftMs);
            check();
        }
        note("sees " + what);
    }

    synchronized void check() {
        if (!violations.isEmpty()) {
            throw new IllegalStateException(violations.get(0));
        }
    }

    synchronized String story() {
        return String.join("\n", story);
    }
}
