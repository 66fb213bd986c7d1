/**
 * The names of Apache Kafka's broker settings that have no effect in minikafka. They distinguish a misspelt name from a name of
 * Kafka. If a name also has a row in a table, the row counts.
 */

const READ_ONLY = `
  add.partitions.to.txn.retry.backoff.max.ms add.partitions.to.txn.retry.backoff.ms alter.config.policy.class.name
  alter.log.dirs.replication.quota.window.num alter.log.dirs.replication.quota.window.size.seconds
  authorizer.class.name auto.leader.rebalance.enable broker.heartbeat.interval.ms broker.session.timeout.ms
  client.quota.callback.class connection.failed.authentication.delay.ms connections.max.reauth.ms
  controlled.shutdown.enable controller.performance.always.log.threshold.ms controller.performance.sample.period.ms
  controller.quorum.append.linger.ms controller.quorum.auto.join.enable controller.quorum.bootstrap.servers
  controller.quorum.election.backoff.max.ms controller.quorum.election.timeout.ms controller.quorum.fetch.max.bytes
  controller.quorum.fetch.snapshot.max.bytes controller.quorum.fetch.timeout.ms controller.quorum.request.timeout.ms
  controller.quorum.retry.backoff.ms controller.quorum.voters controller.quota.window.num
  controller.quota.window.size.seconds controller.socket.timeout.ms cordoned.log.dirs create.topic.policy.class.name
  delegation.token.expiry.check.interval.ms delegation.token.expiry.time.ms delegation.token.max.lifetime.ms
  delegation.token.secret.key delete.records.purgatory.purge.interval.requests early.start.listeners
  errors.deadletterqueue.auto.create.topics.enable errors.deadletterqueue.topic.name.prefix
  fetch.purgatory.purge.interval.requests group.coordinator.append.linger.ms group.coordinator.background.threads
  group.coordinator.threads group.share.assignors group.share.initialize.retry.interval.ms
  group.share.max.share.sessions group.share.max.size group.share.persister.class.name group.streams.max.size
  initial.broker.registration.timeout.ms inter.broker.listener.name internal.metadata.delete.delay.millis
  internal.metadata.log.segment.bytes internal.metadata.max.batch.size.in.bytes kafka.metrics.polling.interval.secs
  kafka.metrics.reporters leader.imbalance.check.interval.seconds log.dir.failure.timeout.ms
  log.remote.copy.lag.bytes log.remote.copy.lag.ms max.decompressed.message.bytes
  metadata.log.dir
  metadata.max.idle.interval.ms
  metrics.num.samples metrics.recording.level metrics.sample.window.ms
  num.replica.alter.log.dirs.threads offsets.commit.timeout.ms offsets.load.buffer.size
  offsets.topic.compression.codec principal.builder.class process.roles producer.purgatory.purge.interval.requests
  queued.max.requests quota.window.num quota.window.size.seconds remote.log.index.file.cache.ttl.ms
  remote.log.manager.copy.quota.window.num remote.log.manager.copy.quota.window.size.seconds
  remote.log.manager.fetch.quota.window.num remote.log.manager.fetch.quota.window.size.seconds
  remote.log.manager.task.interval.ms remote.log.manager.task.retry.backoff.max.ms
  remote.log.manager.task.retry.backoff.ms remote.log.manager.task.retry.jitter remote.log.manager.thread.pool.size
  remote.log.metadata.custom.metadata.max.bytes remote.log.metadata.manager.class.name
  remote.log.metadata.manager.class.path remote.log.metadata.manager.impl.prefix
  remote.log.metadata.manager.listener.name remote.log.reader.max.pending.tasks remote.log.storage.manager.class.name
  remote.log.storage.manager.class.path remote.log.storage.manager.impl.prefix remote.log.storage.system.enable
  replica.fetch.backoff.ms replica.fetch.max.bytes replica.fetch.min.bytes replica.fetch.response.max.bytes
  replica.fetch.wait.max.ms replica.lag.time.max.ms
  replica.selector.class replica.socket.receive.buffer.bytes replica.socket.timeout.ms replication.quota.window.num
  replication.quota.window.size.seconds request.timeout.ms sasl.client.callback.handler.class sasl.enabled.mechanisms
  sasl.jaas.config sasl.kerberos.kinit.cmd sasl.kerberos.min.time.before.relogin
  sasl.kerberos.principal.to.local.rules sasl.kerberos.service.name sasl.kerberos.ticket.renew.jitter
  sasl.kerberos.ticket.renew.window.factor sasl.login.callback.handler.class sasl.login.class
  sasl.login.connect.timeout.ms sasl.login.read.timeout.ms sasl.login.refresh.buffer.seconds
  sasl.login.refresh.min.period.seconds sasl.login.refresh.window.factor sasl.login.refresh.window.jitter
  sasl.login.retry.backoff.max.ms sasl.login.retry.backoff.ms sasl.mechanism.controller.protocol
  sasl.mechanism.inter.broker.protocol sasl.oauthbearer.allow.unverified.audience
  sasl.oauthbearer.allow.unverified.issuer sasl.oauthbearer.assertion.algorithm sasl.oauthbearer.assertion.claim.aud
  sasl.oauthbearer.assertion.claim.exp.seconds sasl.oauthbearer.assertion.claim.iss
  sasl.oauthbearer.assertion.claim.jti.include sasl.oauthbearer.assertion.claim.nbf.seconds
  sasl.oauthbearer.assertion.claim.sub sasl.oauthbearer.assertion.file sasl.oauthbearer.assertion.private.key.file
  sasl.oauthbearer.assertion.private.key.passphrase sasl.oauthbearer.assertion.template.file
  sasl.oauthbearer.client.credentials.client.id sasl.oauthbearer.client.credentials.client.secret
  sasl.oauthbearer.clock.skew.seconds sasl.oauthbearer.expected.audience sasl.oauthbearer.expected.issuer
  sasl.oauthbearer.jwks.endpoint.refresh.ms sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms
  sasl.oauthbearer.jwks.endpoint.retry.backoff.ms sasl.oauthbearer.jwks.endpoint.url
  sasl.oauthbearer.jwt.retriever.class sasl.oauthbearer.jwt.validator.class sasl.oauthbearer.scope
  sasl.oauthbearer.scope.claim.name sasl.oauthbearer.sub.claim.name sasl.oauthbearer.token.endpoint.url
  sasl.server.callback.handler.class sasl.server.max.receive.size security.inter.broker.protocol security.providers
  server.max.startup.time.ms share.coordinator.append.linger.ms share.coordinator.cold.partition.snapshot.interval.ms
  share.coordinator.load.buffer.size share.coordinator.snapshot.update.records.per.snapshot
  share.coordinator.state.topic.compression.codec share.coordinator.state.topic.min.isr
  share.coordinator.state.topic.num.partitions share.coordinator.state.topic.prune.interval.ms
  share.coordinator.state.topic.replication.factor share.coordinator.state.topic.segment.bytes
  share.coordinator.threads share.coordinator.write.timeout.ms share.fetch.purgatory.purge.interval.requests
  socket.connection.setup.timeout.max.ms socket.connection.setup.timeout.ms socket.receive.buffer.bytes
  socket.send.buffer.bytes ssl.allow.dn.changes ssl.allow.san.changes ssl.cipher.suites ssl.client.auth
  ssl.enabled.protocols ssl.endpoint.identification.algorithm ssl.engine.factory.class ssl.key.password
  ssl.keymanager.algorithm ssl.keystore.certificate.chain ssl.keystore.key ssl.keystore.location ssl.keystore.password
  ssl.keystore.type ssl.principal.mapping.rules ssl.protocol ssl.provider ssl.secure.random.implementation
  ssl.trustmanager.algorithm ssl.truststore.certificates ssl.truststore.location ssl.truststore.password
  ssl.truststore.type telemetry.max.bytes transaction.state.log.load.buffer.size
  transaction.two.phase.commit.enable unclean.leader.election.interval.ms unstable.api.versions.enable
  unstable.feature.versions.enable
`

const DYNAMIC = `
  background.threads config.providers follower.fetch.last.tiered.offset.enable
  group.coordinator.cached.buffer.max.bytes log.cleaner.threads max.connection.creation.rate metric.reporters num.io.threads
  num.network.threads num.recovery.threads.per.data.dir num.replica.fetchers remote.fetch.max.wait.ms
  remote.list.offsets.request.timeout.ms remote.log.index.file.cache.total.size.bytes
  remote.log.manager.copier.thread.pool.size remote.log.manager.copy.max.bytes.per.second
  remote.log.manager.expiration.thread.pool.size remote.log.manager.fetch.max.bytes.per.second
  remote.log.manager.follower.thread.pool.size remote.log.reader.threads share.coordinator.cached.buffer.max.bytes
`

/** Settings that Kafka 4.0 removed. Files of many users still have them. */
const FORMER = `
  alter.config.policy.kraft.compatibility.enable broker.id.generation.enable control.plane.listener.name
  controlled.shutdown.max.retries controlled.shutdown.retry.backoff.ms delegation.token.master.key
  eligible.leader.replicas.enable group.share.enable group.share.max.groups inter.broker.protocol.version
  leader.imbalance.per.broker.percentage log.message.downconversion.enable log.message.format.version
  log.message.timestamp.difference.max.ms offsets.commit.required.acks password.encoder.cipher.algorithm
  password.encoder.keyfactory.algorithm password.encoder.old.secret password.encoder.secret quota.consumer.default
  quota.producer.default reserved.broker.max.id zookeeper.connect zookeeper.connection.timeout.ms
  zookeeper.max.in.flight.requests zookeeper.metadata.migration.enable zookeeper.metadata.migration.min.batch.size
  zookeeper.session.timeout.ms zookeeper.set.acl zookeeper.sync.time.ms
`

/** Prefixes of settings with user-defined names, and of settings for plugins. */
const PREFIXES = ['listener.name.', 'config.providers.', 'rlmm.config.', 'rsm.config.', 'zookeeper.ssl.']

/** Kafka settings that cannot change dynamically, because Kafka or minikafka needs a restart for them. */
export const READ_ONLY_NAMES: ReadonlySet<string> = new Set(READ_ONLY.trim().split(/\s+/))

/** Kafka settings without effect in minikafka. */
export const KNOWN_NAMES: ReadonlySet<string> = new Set(`${READ_ONLY}${DYNAMIC}${FORMER}`.trim().split(/\s+/))

/** True for a name of a current or former Kafka setting without effect in minikafka. */
export function isKnownName(name: string): boolean {
  return KNOWN_NAMES.has(name) || PREFIXES.some(prefix => name.startsWith(prefix))
}
