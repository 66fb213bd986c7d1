package interop;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.FeatureUpdate;
import org.apache.kafka.clients.admin.FeatureUpdate.UpgradeType;

/** feature NAME LEVEL: sets the level of a feature, up or down. */
final class Feature {
    private Feature() {
    }

    static String run(String servers, List<String> args) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            short level = Short.parseShort(args.get(1));
            short now = admin.describeFeatures().featureMetadata().get(30, TimeUnit.SECONDS).finalizedFeatures()
                .get(args.get(0)).maxVersionLevel();
            UpgradeType type = level < now ? UpgradeType.SAFE_DOWNGRADE : UpgradeType.UPGRADE;
            if (level != now) {
                admin.updateFeatures(Map.of(args.get(0), new FeatureUpdate(level, type))).all().get(30, TimeUnit.SECONDS);
            }
            return String.format("{\"from\":%d,\"to\":%d}", now, level);
        }
    }
}
