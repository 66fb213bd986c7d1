package interop;

import java.util.Arrays;
import java.util.List;

/** Drives a broker with what only clients of today have: one task a run, one JSON line on stdout when it holds. */
public final class Main {
    private Main() {
    }

    public static void main(String[] args) throws Exception {
        String servers = args[1];
        List<String> rest = Arrays.asList(args).subList(2, args.length);
        System.out.println(run(args[0], servers, rest));
    }

    private static String run(String task, String servers, List<String> rest) throws Exception {
        switch (task) {
            case "admin":
                return TransactionAdmin.run(servers, rest);
            case "consumer-groups":
                return ConsumerGroups.run(servers, rest);
            case "feature":
                return Feature.run(servers, rest);
            case "word-count":
                return WordCount.run(servers, rest);
            case "committed":
                return Committed.run(servers, rest);
            case "counts":
                return Counts.run(servers, rest);
            default:
                throw new IllegalArgumentException("no such task: " + task);
        }
    }
}
