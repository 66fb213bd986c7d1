package interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Tests a broker with the Java clients: prints a JSON line when a task passes. Runs one task, or with `serve` the tasks
 * from stdin.
 */
public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length == 1 && args[0].equals("serve")) {
            serve();
            return;
        }
        if (args.length < 2) {
            throw new IllegalArgumentException("usage: TASK BOOTSTRAP_SERVERS [ARGUMENT ...]");
        }
        String servers = args[1];
        List<String> rest = Arrays.asList(args).subList(2, args.length);
        System.out.println(run(args[0], servers, rest));
    }

    /** Runs tasks from stdin until its end: one a line, with arguments separated by tabs. */
    private static void serve() throws IOException {
        BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = orders.readLine(); line != null; line = orders.readLine()) {
            List<String> args = Arrays.asList(line.split("\t", -1));
            String answer;
            try {
                answer = run(args.get(0), args.get(1), args.subList(2, args.size()));
            } catch (Throwable e) {
                StringWriter trace = new StringWriter();
                e.printStackTrace(new PrintWriter(trace));
                answer = "{\"failed\":\"" + escaped(trace.toString()) + "\"}";
            }
            System.out.println(answer);
        }
        // Open clients of a failed task do not keep the process alive.
        System.exit(0);
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\r", "").replace("\n", "\\n").replace("\t", "  ");
    }

    private static String run(String task, String servers, List<String> rest) throws Exception {
        switch (task) {
            case "produce":
                return Produce.run(servers, rest);
            case "consume":
                return Consume.run(servers, rest);
            case "million":
                return Million.run(servers, rest);
            case "admin":
                return AdminTask.run(servers, rest);
            case "group":
                return GroupTask.run(servers, rest);
            case "endure":
                return Endure.run(servers, rest);
            case "idempotent":
                return Idempotent.run(servers, rest);
            case "transactions":
                return TransactionTask.run(servers, rest);
            case "one-transaction":
                return OneTransaction.run(servers, rest);
            case "transform":
                return Transform.run(servers, rest);
            case "values":
                return Values.run(servers, rest);
            default:
                throw new IllegalArgumentException("no such task: " + task);
        }
    }
}
