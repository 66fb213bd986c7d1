package interop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.coordinator.group.api.assignor.GroupAssignment;
import org.apache.kafka.coordinator.group.api.assignor.MemberAssignment;
import org.apache.kafka.coordinator.group.api.assignor.PartitionAssignor;
import org.apache.kafka.coordinator.group.api.assignor.SubscribedTopicDescriber;
import org.apache.kafka.coordinator.group.api.assignor.SubscriptionType;
import org.apache.kafka.coordinator.group.assignor.RangeAssignor;
import org.apache.kafka.coordinator.group.assignor.UniformAssignor;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue;
import org.apache.kafka.coordinator.group.generated.ConsumerGroupTargetAssignmentMemberValue.TopicPartition;
import org.apache.kafka.coordinator.group.modern.Assignment;
import org.apache.kafka.coordinator.group.modern.GroupSpecImpl;
import org.apache.kafka.coordinator.group.modern.MemberSubscriptionAndAssignmentImpl;

/**
 * Reads a group as a JSON line from stdin and writes its assignment as a JSON line to stdout. All lists are in the
 * order in which Kafka reads them from its records, or writes them.
 */
public final class Assignors {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, PartitionAssignor> ASSIGNORS =
        Map.of("uniform", new UniformAssignor(), "range", new RangeAssignor());

    private Assignors() {
    }

    public static void main(String[] args) throws Exception {
        BufferedReader groups = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        for (String line = groups.readLine(); line != null; line = groups.readLine()) {
            answers.println(answer(JSON.readTree(line)));
            answers.flush();
        }
    }

    private static JsonNode answer(JsonNode group) {
        try {
            return assign(group);
        } catch (RuntimeException e) {
            return JSON.createObjectNode().put("error", e.getClass().getSimpleName()).put("message", e.getMessage());
        }
    }

    private static JsonNode assign(JsonNode group) {
        Map<String, MemberSubscriptionAndAssignmentImpl> members = new HashMap<>();
        Map<Uuid, Map<Integer, String>> owners = new HashMap<>();
        for (JsonNode member : group.get("members")) {
            String memberId = member.get("memberId").asText();
            Assignment assigned = assignment(member.get("assigned"));
            Optional<String> instanceId = Optional.ofNullable(member.get("instanceId").textValue());
            members.put(memberId, new MemberSubscriptionAndAssignmentImpl(
                Optional.empty(), instanceId, topicIds(member.get("subscribedTopicIds")), assigned));
            assigned.partitions().forEach((topicId, partitions) -> partitions.forEach(partition ->
                owners.computeIfAbsent(topicId, id -> new HashMap<>()).put(partition, memberId)));
        }
        SubscriptionType type =
            group.get("isHomogeneous").asBoolean() ? SubscriptionType.HOMOGENEOUS : SubscriptionType.HETEROGENEOUS;
        GroupAssignment assigned = ASSIGNORS.get(group.get("assignor").asText())
            .assign(new GroupSpecImpl(Collections.unmodifiableMap(members), type, owners), describer(group.get("topics")));
        ObjectNode answer = JSON.createObjectNode();
        for (String memberId : members.keySet()) {
            ArrayNode topics = answer.withArray("members").addArray().add(memberId).addArray();
            partitions(assigned.members().get(memberId)).forEach((topicId, partitions) -> {
                ArrayNode list = topics.addArray().add(topicId.toString()).addArray();
                partitions.forEach(list::add);
            });
        }
        return answer;
    }

    private static Map<Uuid, Set<Integer>> partitions(MemberAssignment assignment) {
        return assignment == null ? Map.of() : assignment.partitions();
    }

    private static Assignment assignment(JsonNode topics) {
        List<TopicPartition> partitions = StreamSupport.stream(topics.spliterator(), false)
            .map(topic -> new TopicPartition()
                .setTopicId(Uuid.fromString(topic.get(0).asText()))
                .setPartitions(StreamSupport.stream(topic.get(1).spliterator(), false).map(JsonNode::asInt).toList()))
            .toList();
        return Assignment.fromRecord(new ConsumerGroupTargetAssignmentMemberValue().setTopicPartitions(partitions));
    }

    private static Set<Uuid> topicIds(JsonNode ids) {
        Set<Uuid> topicIds = new LinkedHashSet<>();
        ids.forEach(id -> topicIds.add(Uuid.fromString(id.asText())));
        return topicIds;
    }

    private static SubscribedTopicDescriber describer(JsonNode topics) {
        return new SubscribedTopicDescriber() {
            @Override
            public int numPartitions(Uuid topicId) {
                return topics.path(topicId.toString()).asInt(-1);
            }

            @Override
            public Set<String> racksForPartition(Uuid topicId, int partition) {
                return Set.of();
            }
        };
    }
}
