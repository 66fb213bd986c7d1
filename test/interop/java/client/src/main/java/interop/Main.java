package interop;

import java.util.Arrays;
import java.util.List;

/** Drives a broker with the Java clients: one task a run, one JSON line on stdout when it holds, a stack trace when not. */
public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        if (args.length < 2) {
            throw new IllegalArgumentException("usage: TASK BOOTSTRAP_SERVERS [ARGUMENT ...]");
        }
        String servers = args[1];
        List<String> rest = Arrays.asList(args).subList(2, args.length);
        System.out.println(run(args[0], servers, rest));
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
            default:
                throw new IllegalArgumentException("no such task: " + task);
        }
    }
}
