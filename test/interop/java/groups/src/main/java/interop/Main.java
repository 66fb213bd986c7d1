package interop;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * TASK SERVERS PROTOCOL PREFIX [SCENARIO ...]: consumer groups with one protocol. `scenarios` runs all or the named
 * scenarios, each with its own topic and group, and prints a JSON object with the outcome of each.
 */
public final class Main {
    private static final int AT_A_TIME = 6;
    private static final Map<String, Scenario> SCENARIOS = new LinkedHashMap<>();

    static {
        SCENARIOS.put("crash", Rebalances::crash);
        SCENARIOS.put("eviction", Rebalances::eviction);
        SCENARIOS.put("scale", Rebalances::scale);
        SCENARIOS.put("waiting", Rebalances::waiting);
        SCENARIOS.put("restart", StaticMembers::restart);
        SCENARIOS.put("twice", StaticMembers::twice);
        SCENARIOS.put("handover", Commits::handover);
        SCENARIOS.put("administration", Administration::run);
        SCENARIOS.put("pause", Reading::pause);
        SCENARIOS.put("seek", Reading::seek);
        SCENARIOS.put("assign", Reading::assign);
        SCENARIOS.put("reset", Reading::reset);
        SCENARIOS.put("duration", Reading::duration);
        SCENARIOS.put("commits", Commits::commits);
        SCENARIOS.put("automatic", Commits::automatic);
        SCENARIOS.put("migration", Migration::atOnce);
        SCENARIOS.put("slow-migration", Migration::slow);
        SCENARIOS.put("static-migration", Migration::ofStatic);
        SCENARIOS.put("to-consumer", MigrationPolicy::toConsumer);
        SCENARIOS.put("to-classic", MigrationPolicy::toClassic);
    }

    interface Scenario {
        String run(Scene on) throws Exception;
    }

    private Main() {
    }

    public static void main(String[] args) throws Exception {
        String servers = args[1];
        Protocol protocol = new Protocol(args[2]);
        List<String> rest = Arrays.asList(args).subList(3, args.length);
        switch (args[0]) {
            case "scenarios":
                System.out.println(json(scenarios(servers, protocol, rest)));
                break;
            case "endure":
                System.out.println(Endure.run(servers, protocol, rest));
                break;
            case "member":
                Child.run(servers, protocol, rest);
                break;
            default:
                throw new IllegalArgumentException("no such task: " + args[0]);
        }
    }

    private static Map<String, String> scenarios(String servers, Protocol protocol, List<String> args) throws Exception {
        List<String> wanted = args.size() > 1 ? args.subList(1, args.size()) : new ArrayList<>(SCENARIOS.keySet());
        ExecutorService pool = Executors.newFixedThreadPool(AT_A_TIME);
        Map<String, Future<String>> running = new LinkedHashMap<>();
        for (String name : wanted) {
            running.put(name, pool.submit(() -> outcome(SCENARIOS.get(name), servers, protocol, args.get(0) + "-" + name)));
        }
        Map<String, String> outcomes = new LinkedHashMap<>();
        for (Map.Entry<String, Future<String>> one : running.entrySet()) {
            outcomes.put(one.getKey(), one.getValue().get());
        }
        pool.shutdown();
        return outcomes;
    }

    /** The outcome of the scenario; that of a failed one is the error, with all events of its members. */
    private static String outcome(Scenario scenario, String servers, Protocol protocol, String topic) throws Exception {
        long startMs = System.currentTimeMillis();
        try (Scene on = new Scene(servers, protocol, topic, Rebalances.PARTITIONS)) {
            String outcome;
            try {
                outcome = scenario.run(on);
                on.ledger.check();
            } catch (Exception e) {
                StringWriter trace = new StringWriter();
                e.printStackTrace(new PrintWriter(trace));
                outcome = trace + on.ledger.story();
            }
            System.err.println(topic + " took " + (System.currentTimeMillis() - startMs) + " ms");
            return outcome;
        }
    }

    private static String json(Map<String, String> texts) {
        StringBuilder json = new StringBuilder("{");
        texts.forEach((name, text) -> json.append(json.length() > 1 ? "," : "").append(quoted(name)).append(":")
            .append(quoted(text)));
        return json.append("}").toString();
    }

    private static String quoted(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n").replace("\t", "  ")
            .replace("\r", "") + '"';
    }
}
